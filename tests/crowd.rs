//! Many servers at once from many processes: in a binary of its own, so that the other tests have the machine back.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use isolated_nats::ExternalNats;

const PROCESSES: usize = 8;
const SERVERS: usize = 8;
const ROUNDS: usize = 20;

/// Starts its servers at once, says which, and holds them until its input ends.
#[tokio::test]
#[ignore = "run by the test below, in processes of its own"]
async fn starts_a_few() {
    let starts = (0..SERVERS).map(|_| tokio::spawn(ExternalNats::builder().jetstream().start()));
    let mut servers = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        servers.push(start.await.unwrap().unwrap());
    }
    for nats in &servers {
        println!("SERVER {} {}", nats.port(), nats.server_name());
    }
    println!("READY");
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn spawn() -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "starts_a_few", "--include-ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The servers a process says it has, as port and name.
fn servers(output: &mut BufReader<ChildStdout>) -> Vec<(u16, String)> {
    let lines = output.lines().map(Result::unwrap);
    let said: Vec<_> = lines.take_while(|line| !line.ends_with("READY")).collect();
    let parts = said.iter().filter_map(|line| line.split_once("SERVER ")?.1.split_once(' '));
    parts.map(|(port, name)| (port.parse().unwrap(), name.to_owned())).collect()
}

#[test]
fn sixty_four_servers_from_eight_processes_start_at_once_every_time() {
    for round in 0..ROUNDS {
        let mut children: Vec<_> = (0..PROCESSES).map(|_| spawn()).collect();
        let outputs = children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap()));
        let mut outputs: Vec<_> = outputs.collect(); // open to the end, or the children could not write theirs
        let all: Vec<_> = outputs.iter_mut().flat_map(servers).collect();
        assert_eq!(all.len(), PROCESSES * SERVERS, "round {round}: {all:?}");
        let ports: HashSet<_> = all.iter().map(|(port, _)| port).collect();
        assert_eq!(ports.len(), all.len(), "round {round}: two servers have one port: {all:?}");
        for (port, name) in &all {
            let mut greeting = [0; 512];
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", *port)).unwrap();
            let count = stream.read(&mut greeting).unwrap();
            let greeting = String::from_utf8_lossy(&greeting[..count]).into_owned();
            assert!(greeting.contains(&format!("\"server_name\":\"{name}\"")), "round {round}: {greeting}");
        }
        for child in &mut children {
            drop(child.stdin.take());
        }
        for mut child in children {
            assert!(child.wait().unwrap().success(), "round {round}");
        }
    }
}
