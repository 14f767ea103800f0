//! What decisions cost on a Redis of their own, beside plain commands that the same client sends.
//!
//! Prints one JSON object a line: what was measured, and its figures. How they are to be read, and what they should
//! be, is known to `cargo xtask bench ratelimit`.

#![expect(clippy::unwrap_used, reason = "a measurement may stop here")]

mod flood;
mod load;
mod memory;
mod outage;
mod setting;
mod trim;

use setting::Setting;

fn main() {
    // Whoever runs all targets as tests says no such word; here is nothing to test.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let setting = Setting::new().await;
        setting.tell_server().await;
        memory::measure(&setting).await;
        trim::measure(&setting).await;
        flood::measure(&setting).await;
        load::measure(&setting).await;
        // The last: it makes the server hold still.
        outage::measure(&setting).await;
    });
}
