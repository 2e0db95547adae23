// SPDX-License-Identifier: MIT
// The official Rust SDK as a peer of the benchmark; ours.lua says what the words mean. The first one is the number of
// threads: 1: everything on one, 0: tokio's default.
use chainlink_data_streams_report::feed_id::ID;
use chainlink_data_streams_report::report::{decode_full_report, v3::ReportDataV3};
use chainlink_data_streams_sdk::client::Client;
use chainlink_data_streams_sdk::config::{Config, WebSocketHighAvailability};
use chainlink_data_streams_sdk::stream::Stream;
use num_traits::ToPrimitive;
use std::error::Error;
use std::io::Read;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Order {
    mode: String,
    a: usize,
    b: usize,
    ha: bool,
    words: Vec<String>,
}

fn cpu_us() -> f64 {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let micros = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    micros(usage.ru_utime) + micros(usage.ru_stime)
}

fn now_us() -> f64 {
    let mut now: libc::timespec = unsafe { std::mem::zeroed() };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as f64 * 1e6 + now.tv_nsec as f64 / 1e3
}

fn kib(file: &str, names: &[&str]) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/self/{file}"))?;
    let mut sum = 0;
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or("").trim_end_matches(':');
        if names.contains(&name) {
            sum += words.next().ok_or("no number")?.parse::<u64>()?;
        }
    }
    Ok(sum)
}

fn decode(full_report: &str) -> Result<[f64; 3]> {
    let payload = hex::decode(&full_report[2..])?;
    let (_, blob) = decode_full_report(&payload)?;
    let report = ReportDataV3::decode(&blob)?;
    let number = |value: Option<f64>| value.map_or(f64::NAN, |value| value / 1e18);
    Ok([number(report.benchmark_price.to_f64()), number(report.bid.to_f64()), number(report.ask.to_f64())])
}

fn price(full_report: &str) -> Result<f64> {
    Ok(decode(full_report)?[0])
}

fn config(ha: bool) -> Result<Config> {
    let setting = |name: &str| std::env::var(format!("CHAINLINK_STREAMS_{name}"));
    let (key, secret) = (setting("API_KEY")?, setting("API_SECRET")?);
    let config = Config::new(key, secret, setting("REST_URL")?, setting("WS_URL")?);
    let config = if ha { config.with_ws_ha(WebSocketHighAvailability::Enabled) } else { config };
    Ok(config.build()?)
}

async fn open(order: &Order) -> Result<Stream> {
    let mut feeds = Vec::new();
    for id in &order.words {
        feeds.push(ID::from_hex_str(id)?);
    }
    let mut stream = Stream::new(&config(order.ha)?, feeds).await?;
    stream.listen().await?;
    Ok(stream)
}

async fn next(stream: &mut Stream) -> Result<f64> {
    price(&stream.read().await?.report.full_report)
}

fn run_decode(order: &Order) -> Result<f64> {
    let started = Instant::now();
    let mut sum = 0.0;
    for _ in 0..order.a {
        sum += decode(&order.words[0])?.iter().sum::<f64>();
    }
    println!("{}", started.elapsed().as_nanos() as f64 / order.a as f64);
    Ok(sum)
}

async fn run_stream(order: &Order) -> Result<f64> {
    let (mut stream, mut sum) = (open(order).await?, 0.0);
    for _ in 0..order.a {
        sum += next(&mut stream).await?;
    }
    let (before, started) = (cpu_us(), Instant::now());
    for _ in 0..order.b {
        sum += next(&mut stream).await?;
    }
    let (seconds, count) = (started.elapsed().as_secs_f64(), order.b as f64);
    let peak = kib("status", &["VmHWM"])?;
    let private = kib("smaps_rollup", &["Private_Clean", "Private_Dirty"])?;
    println!("{} {} {} {}", (cpu_us() - before) / count, count / seconds, peak, private);
    Ok(sum)
}

async fn run_latency(order: &Order) -> Result<f64> {
    let (mut stream, mut late) = (open(order).await?, Vec::new());
    for _ in 0..order.a {
        next(&mut stream).await?;
    }
    while late.len() < order.b {
        let stamp = next(&mut stream).await? * 1e15;
        late.push(now_us() - stamp);
    }
    late.sort_by(f64::total_cmp);
    let at = |part: f64| late[(order.b as f64 * part).ceil() as usize - 1];
    println!("{} {} {}", at(0.5), at(0.99), at(0.999));
    Ok(1.0)
}

async fn run_history(order: &Order) -> Result<f64> {
    let client = Client::new(config(false)?)?;
    let id = ID::from_hex_str(&order.words[0])?;
    let mut start = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() as u128 - 30 * 86400;
    let (before, mut count, mut sum) = (cpu_us(), 0, 0.0);
    for _ in 0..order.a {
        for report in client.get_reports_page_with_limit(id, start, order.b).await? {
            sum += price(&report.full_report)?;
            start = report.observations_timestamp as u128 + 1;
            count += 1;
        }
    }
    println!("{}", (cpu_us() - before) / count as f64);
    Ok(sum)
}

async fn run_first(order: &Order) -> Result<f64> {
    let first = next(&mut open(order).await?).await?;
    println!("{first}");
    Ok(first)
}

async fn run(order: &Order) -> Result<f64> {
    match order.mode.as_str() {
        "decode" => run_decode(order),
        "stream" => run_stream(order).await,
        "latency" => run_latency(order).await,
        "history" => run_history(order).await,
        "first" => run_first(order).await,
        other => Err(format!("no such mode: {other}").into()),
    }
}

fn main() -> Result<()> {
    let word = |index: usize| std::env::args().nth(index).unwrap_or_default();
    let number = |index: usize| word(index).parse::<usize>().unwrap_or(0);
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let words = text.split_whitespace().map(str::to_owned).collect();
    let order = Order { mode: word(2), a: number(3), b: number(4), ha: word(5) == "ha", words };
    let runtime = if number(1) == 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?
    } else {
        tokio::runtime::Runtime::new()?
    };
    let sum = runtime.block_on(run(&order))?;
    std::process::exit(if sum > 0.0 { 0 } else { 1 });
}
