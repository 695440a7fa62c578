//! The event bus.

use isolated_nats::operations::Preset;
use isolated_nats::{ExternalNats, LoadGenerator, LoadReport};

#[tokio::test]
async fn every_service_of_a_preset_has_every_event() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    for preset in [Preset::light(), Preset { services: 4, payload_bytes: 64, ..Preset::medium() }] {
        let report = preset.apply(LoadGenerator::builder(), &client).progress(false).run().await.unwrap();
        assert_eq!(
            (report.count(), report.errors()),
            (preset.operations, 0),
            "{:?}",
            report.errors_by_kind()
        );
        let bytes = (preset.payload_bytes as u64 + 32) * preset.operations;
        assert_eq!((report.counts().items, report.counts().bytes), (preset.operations, bytes));
        assert_eq!(report.services().len(), preset.services);
        for service in report.services() {
            assert_eq!((service.received, service.bytes), (preset.operations, bytes), "{}", service.name);
            assert_eq!(service.delivery.count(), preset.operations);
        }
        let names: Vec<&str> = report.operations().iter().map(LoadReport::name).collect();
        assert_eq!(names, ["filesystem", "database", "external", "tool", "service", "system"]);
    }
}

#[test]
fn presets_have_the_figures_of_their_table() {
    let figures = [Preset::light(), Preset::medium(), Preset::heavy(), Preset::stress()]
        .map(|preset| (preset.operations, preset.services, preset.payload_bytes));
    assert_eq!(figures, [(100, 3, 512), (1_000, 10, 1_024), (10_000, 50, 4_096), (100_000, 100, 8_192)]);
    assert_eq!(Preset::KINDS.iter().map(|(_, weight)| weight).sum::<u32>(), 100);
}
