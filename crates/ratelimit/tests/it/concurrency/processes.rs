//! Several processes on one Redis, each with connections, scripts and nonces of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_redis::redis::cmd;
use ratelimit::{Algorithm, Policy, PolicyState, Store};
use test_support::redis::RedisServer;
use tokio::task::block_in_place;

use super::hammer;
use crate::fixture::{Fixture, MINUTE, plan, policy, redis_store};

const PROCESSES: usize = 4;
/// Each process alone asks more often than that.
const LEAST: u32 = 1_003;

/// Policies of every kind, with windows of their own; the first has the least room.
fn policies(round: usize) -> [Policy; 4] {
    [
        policy(&format!("log{round}"), Algorithm::SlidingLog, LEAST, 60 * MINUTE),
        policy(&format!("compact{round}"), Algorithm::CompactLog, 1_201, 50 * MINUTE),
        policy(&format!("fixed{round}"), Algorithm::FixedWindow, 1_409, 40 * MINUTE),
        policy(&format!("spaced{round}"), Algorithm::Gcra { burst: 1_301 }, 1, 24 * MINUTE),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the tests below in processes of its own"]
async fn asks_as_its_parent_says() {
    let mut lines = std::io::stdin().lines().map(Result::unwrap);
    let [url, prefix, rounds, number] = [(); 4].map(|()| lines.next().unwrap());
    let stores = [Arc::new(redis_store(&url, &prefix, Duration::from_mins(1))) as Arc<dyn Store>];
    // Connected before it starts.
    stores[0].peek(&plan(&policies(0).each_ref().map(|policy| (policy, 0)))).await.unwrap();
    println!("\nready");
    assert_eq!(lines.next().unwrap(), "go");
    for round in 0..rounds.parse().unwrap() {
        let policies = policies(round);
        let mut asks = policies.each_ref().map(|policy| (policy, 1));
        asks.rotate_left(number.parse().unwrap());
        println!("\nadmitted {}", hammer(&stores, &[plan(&asks)], 3).await);
    }
}

/// A process that asks.
struct Asking {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Asking {
    fn begin(fixture: &Fixture, rounds: usize, number: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "concurrency::processes::asks_as_its_parent_says", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        writeln!(input, "{}\n{}\n{rounds}\n{number}", fixture.url, fixture.prefix).unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn wait_until_ready(&mut self) {
        let mut lines = self.output.by_ref().lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "ready"), "it ended early");
    }

    fn go(&mut self) {
        writeln!(self.input, "go").unwrap();
    }

    /// How many were admitted in each round.
    fn end(mut self) -> Vec<u32> {
        let lines = self.output.lines().map(Result::unwrap);
        let admitted =
            lines.filter_map(|line| Some(line.strip_prefix("admitted ")?.parse().unwrap())).collect();
        assert!(self.child.wait().unwrap().success());
        admitted
    }
}

/// Lets all processes ask at once, and checks that together they were admitted as often as the least limit says.
async fn ask_and_sum(fixture: &Fixture, rounds: usize) {
    let admitted: Vec<_> = block_in_place(|| {
        let mut all: Vec<_> = (0..PROCESSES).map(|number| Asking::begin(fixture, rounds, number)).collect();
        all.iter_mut().for_each(Asking::wait_until_ready);
        all.iter_mut().for_each(Asking::go);
        all.into_iter().map(Asking::end).collect()
    });
    assert!(admitted.iter().all(|of_one| of_one.len() == rounds));
    for round in 0..rounds {
        assert_eq!(admitted.iter().map(|of_one| of_one[round]).sum::<u32>(), LEAST, "{admitted:?}");
        let look = plan(&policies(round).each_ref().map(|policy| (policy, 0)));
        let looked = fixture.store.peek(&look).await.unwrap();
        assert_eq!(looked.states().iter().map(PolicyState::used).collect::<Vec<_>>(), [LEAST; 4]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_are_admitted_exactly_as_often_as_one() {
    ask_and_sum(&Fixture::redis(), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_are_flushed_all_the_time_cost_nothing_but_time() {
    let server = RedisServer::spawn().unwrap();
    let fixture = Fixture::redis_at(&server.url());
    let mut connection = fixture.connection().await;
    let done = Arc::new(AtomicBool::new(false));
    let flushing = tokio::spawn({
        let done = Arc::clone(&done);
        async move {
            let mut flushed = 0;
            while !done.load(Ordering::Relaxed) {
                cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut connection).await.unwrap();
                flushed += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            flushed
        }
    });
    ask_and_sum(&fixture, 3).await;
    done.store(true, Ordering::Relaxed);
    assert!(flushing.await.unwrap() >= 3, "it was flushed in between");
}
