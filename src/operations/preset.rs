//! Loads of known size: an event bus.

use async_nats::Client;

use super::publish::publish;
use super::services::subscriber;
use crate::load::{LoadGeneratorBuilder, Schedule};

/// A load of known size: events of six kinds, published to a number of services that receive all of them.
///
/// | | operations | services | payload |
/// | --- | --- | --- | --- |
/// | [`light`](Self::light) | 100 | 3 | 512 B |
/// | [`medium`](Self::medium) | 1 000 | 10 | 1 KiB |
/// | [`heavy`](Self::heavy) | 10 000 | 50 | 4 KiB |
/// | [`stress`](Self::stress) | 100 000 | 100 | 8 KiB |
///
/// The stress preset delivers 10 million messages, 76 GiB of payload: minutes.
///
/// # Examples
///
/// ```no_run
/// // `no_run`: a documentation test would fetch a server.
/// # async fn example(nats: isolated_nats::ExternalNats) -> Result<(), Box<dyn std::error::Error>> {
/// use isolated_nats::LoadGenerator;
/// use isolated_nats::operations::Preset;
///
/// let preset = Preset { services: 5, ..Preset::light() };
/// let report = preset.apply(LoadGenerator::builder(), &nats.client().await?).run().await?;
/// assert_eq!(report.count(), 100);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// How many events are published, of all kinds together.
    pub operations: u64,
    /// How many services receive them; each receives all.
    pub services: usize,
    /// Size of each payload, in bytes, before the 32 bytes of its stamp.
    pub payload_bytes: usize,
    /// How many events are under way at a time: workers of a closed loop. By default 8.
    pub in_flight: usize,
    /// The subject below which events are published: `<subject>.<kind>`. By default `events`.
    pub subject: String,
    /// The kinds of events, and how often each comes. By default filesystem 30, database 25, external 20, tool 10, service 10,
    /// system 5.
    pub kinds: Vec<(String, u32)>,
}

impl Preset {
    /// The default mix, in percent.
    pub const KINDS: [(&'static str, u32); 6] = [
        ("filesystem", 30),
        ("database", 25),
        ("external", 20),
        ("tool", 10),
        ("service", 10),
        ("system", 5),
    ];

    fn new(operations: u64, services: usize, payload_bytes: usize) -> Self {
        let kinds = Self::KINDS.map(|(kind, weight)| (kind.to_owned(), weight)).into();
        Self { operations, services, payload_bytes, in_flight: 8, subject: "events".into(), kinds }
    }

    /// Returns 100 events of 512 B to 3 services.
    #[must_use]
    pub fn light() -> Self {
        Self::new(100, 3, 512)
    }

    /// Returns 1 000 events of 1 KiB to 10 services.
    #[must_use]
    pub fn medium() -> Self {
        Self::new(1_000, 10, 1 << 10)
    }

    /// Returns 10 000 events of 4 KiB to 50 services.
    #[must_use]
    pub fn heavy() -> Self {
        Self::new(10_000, 50, 4 << 10)
    }

    /// Returns 100 000 events of 8 KiB to 100 services.
    #[must_use]
    pub fn stress() -> Self {
        Self::new(100_000, 100, 8 << 10)
    }

    /// Sets a builder up for it: the schedule, the payload's size, an operation for each kind of event by its name, and the
    /// services `service-1` and so on.
    ///
    /// The schedule is a closed loop; one that is set on the builder afterwards replaces it. Publishers and services share the
    /// client, and an event is done when the server has routed it. As the server answers on the same connection, behind what it
    /// delivers there, no more than [`in_flight`](Self::in_flight) events are ever on their way to the services, and none is
    /// dropped for a full buffer.
    pub fn apply(&self, builder: LoadGeneratorBuilder, client: &Client) -> LoadGeneratorBuilder {
        let builder = builder
            .schedule(Schedule::closed_count(self.in_flight, self.operations))
            .payload_bytes(self.payload_bytes..=self.payload_bytes);
        let builder = self.kinds.iter().fold(builder, |builder, (kind, weight)| {
            let subject = format!("{}.{kind}", self.subject);
            builder.workload(kind, *weight, publish(client.clone(), subject).stamped().round_trip())
        });
        (1..=self.services).fold(builder, |builder, number| {
            let service = subscriber(client.clone(), format!("{}.*", self.subject));
            builder.service(&format!("service-{number}"), 1, service.into_service())
        })
    }
}
