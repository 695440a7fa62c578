//! Services of async-nats, ended by `stop`: a service that is only dropped goes on answering.

use async_nats::Client;
use async_nats::service::ServiceExt;
use futures_util::StreamExt;
use isolated_nats::{ExternalNats, isolated_nats};

use super::support::{no_alarm, watch};

#[tokio::test]
async fn a_service_with_endpoints_asked_and_stopped() {
    let nats = ExternalNats::start().await.unwrap();
    let guard = watch(&nats);
    {
        let client = nats.client().await.unwrap();
        let service = client.service_builder().start("calculator", "1.0.0").await.unwrap();
        let mut sums = service.group("v1").endpoint("sum").await.unwrap();
        client.flush().await.unwrap();
        let asked = tokio::spawn({
            let client = client.clone();
            async move { client.request("v1.sum", "1+1".into()).await.unwrap().payload }
        });
        sums.next().await.unwrap().respond(Ok("2".into())).await.unwrap();
        assert_eq!(asked.await.unwrap(), "2");
        assert_eq!(service.stats().await.values().next().unwrap().requests, 1);
        assert_eq!(service.info().await.name, "calculator");
        client.request("$SRV.PING.calculator", "".into()).await.unwrap();
        service.stop().await.unwrap();
    }
    no_alarm(guard).await;
}

/// An endpoint in a task ends when its service is stopped.
#[isolated_nats(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_in_a_task_ends_with_its_service(client: Client) {
    let service = client.service_builder().start("calculator", "1.0.0").await.unwrap();
    let mut sums = service.endpoint("sum").await.unwrap();
    client.flush().await.unwrap();
    tokio::spawn(async move {
        while let Some(request) = sums.next().await {
            request.respond(Ok("2".into())).await.unwrap();
        }
    });
    assert_eq!(client.request("sum", "1+1".into()).await.unwrap().payload, "2");
    service.stop().await.unwrap();
}

#[tokio::test]
async fn an_endpoint_stopped_by_itself() {
    let nats = ExternalNats::start().await.unwrap();
    let client = nats.client().await.unwrap();
    let guard = watch(&nats);
    let service = client.service_builder().start("calculator", "1.0.0").await.unwrap();
    let mut sums = service.endpoint("sum").await.unwrap();
    sums.stop().await.unwrap();
    service.stop().await.unwrap();
    drop(sums);
    no_alarm(guard).await;
}
