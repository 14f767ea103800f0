//! A proxy before Redis that loses answers, holds questions back, or says nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Mood {
    /// The next answer to a script is read from Redis and the connection ended instead.
    lose: AtomicBool,
    lost: AtomicU32,
    /// The client of the next call of a script is left, and Redis gets it when it is let go.
    hold: AtomicBool,
    held: Notify,
    let_go: Notify,
    answered: Notify,
    /// Nothing is passed on, in either direction, and never will be.
    silent: AtomicBool,
}

pub(crate) struct Proxy {
    address: std::net::SocketAddr,
    mood: Arc<Mood>,
}

impl Proxy {
    pub(crate) async fn before(url: &str) -> Self {
        let redis = url.trim_start_matches("redis://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mood = Arc::new(Mood::default());
        let shared = Arc::clone(&mood);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let redis = TcpStream::connect(&redis).await.unwrap();
                tokio::spawn(pass_on(client, redis, Arc::clone(&shared)));
            }
        });
        Self { address, mood }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn lose_the_next_answer(&self) {
        self.mood.lose.store(true, Ordering::SeqCst);
    }

    pub(crate) fn lost(&self) -> u32 {
        self.mood.lost.load(Ordering::SeqCst)
    }

    pub(crate) fn hold_the_next_question(&self) {
        self.mood.hold.store(true, Ordering::SeqCst);
    }

    /// Waits until a question is held back.
    pub(crate) async fn holds(&self) {
        self.mood.held.notified().await;
    }

    /// Lets Redis have the question that was held back, and waits until it is answered to nobody.
    pub(crate) async fn let_go(&self) {
        self.mood.let_go.notify_one();
        self.mood.answered.notified().await;
    }

    pub(crate) fn be_silent(&self, silent: bool) {
        self.mood.silent.store(silent, Ordering::SeqCst);
    }
}

async fn pass_on(mut client: TcpStream, mut redis: TcpStream, mood: Arc<Mood>) {
    let (mut asked, mut answered) = ([0; 16 << 10], [0; 16 << 10]);
    let mut by_script = false;
    loop {
        tokio::select! {
            length = client.read(&mut asked) => {
                let Ok(length @ 1..) = length else { return };
                if mood.silent.load(Ordering::SeqCst) {
                    std::future::pending::<()>().await;
                }
                by_script = asked[..length].windows(4).any(|word| word == b"EVAL");
                if by_script && mood.hold.swap(false, Ordering::SeqCst) {
                    drop(client);
                    mood.held.notify_one();
                    mood.let_go.notified().await;
                    redis.write_all(&asked[..length]).await.unwrap();
                    assert!(redis.read(&mut answered).await.unwrap() > 0);
                    mood.answered.notify_one();
                    return;
                }
                redis.write_all(&asked[..length]).await.unwrap();
            }
            length = redis.read(&mut answered) => {
                let Ok(length @ 1..) = length else { return };
                // A number or a list of them, that is: not the question for the script's text.
                let decided = by_script && matches!(answered[0], b'*' | b':');
                if decided && mood.lose.swap(false, Ordering::SeqCst) {
                    mood.lost.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
