// SPDX-License-Identifier: MIT
// Reads a stream with the official Rust SDK, as its users do, and prints what that cost:
//   peer THREADS WARM COUNT < FEED_IDS       THREADS 1: everything on one thread, 0: tokio's default
// The service is told by the environment, as to our own command line.
use chainlink_data_streams_report::feed_id::ID;
use chainlink_data_streams_report::report::{decode_full_report, v3::ReportDataV3};
use chainlink_data_streams_sdk::config::Config;
use chainlink_data_streams_sdk::stream::Stream;
use std::error::Error;
use std::io::Read;
use std::time::Instant;

fn cpu_seconds() -> (f64, i64) {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    (seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss as i64)
}

async fn next_price(stream: &mut Stream) -> Result<f64, Box<dyn Error>> {
    let report = stream.read().await?.report;
    let payload = hex::decode(&report.full_report[2..])?;
    let (_, blob) = decode_full_report(&payload)?;
    Ok(ReportDataV3::decode(&blob)?.benchmark_price.to_string().parse::<f64>()? / 1e18)
}

async fn run(warm: usize, count: usize) -> Result<(), Box<dyn Error>> {
    let setting = |name: &str| std::env::var(format!("CHAINLINK_STREAMS_{name}"));
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let mut feeds = Vec::new();
    for id in text.split_whitespace() {
        feeds.push(ID::from_hex_str(id)?);
    }
    let (key, secret) = (setting("API_KEY")?, setting("API_SECRET")?);
    let config = Config::new(key, secret, setting("REST_URL")?, setting("WS_URL")?).build()?;
    let mut stream = Stream::new(&config, feeds).await?;
    stream.listen().await?;
    let mut sum = 0.0;
    for _ in 0..warm {
        sum += next_price(&mut stream).await?;
    }
    let (before, _) = cpu_seconds();
    let started = Instant::now();
    for _ in 0..count {
        sum += next_price(&mut stream).await?;
    }
    let (after, rss) = cpu_seconds();
    let seconds = started.elapsed().as_secs_f64();
    println!("{} {} {} {}", (after - before) / count as f64 * 1e6, count as f64 / seconds, rss, sum > 0.0);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let number = |index: usize| std::env::args().nth(index).and_then(|text| text.parse::<usize>().ok());
    let wanted = "peer THREADS WARM COUNT";
    let (threads, warm, count) = (number(1).ok_or(wanted)?, number(2).ok_or(wanted)?, number(3).ok_or(wanted)?);
    let runtime = if threads == 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?
    } else {
        tokio::runtime::Runtime::new()?
    };
    runtime.block_on(run(warm, count))
}
