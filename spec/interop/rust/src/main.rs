// SPDX-License-Identifier: MIT
// What the official Rust crate makes of reports: one line of hexadecimal in, one line of JSON out.
//   interop decode      full report -> version, fields as text, and compress_report's bytes; or the error
//   interop decompress  bytes that another compressed -> the crate's Report, read from their JSON

use chainlink_data_streams_report::feed_id::ID;
use chainlink_data_streams_report::report::{self, compress::compress_report, decode_full_report, Report};
use report::{v1::*, v10::*, v11::*, v12::*, v13::*, v2::*, v3::*, v4::*, v5::*, v6::*, v7::*, v8::*, v9::*};
use serde_json::{json, Map, Value};
use std::io::{self, BufRead, Write};
use std::panic;

type Fields = Map<String, Value>;

trait Text {
    fn text(&self) -> String;
}

impl Text for ID {
    fn text(&self) -> String {
        self.to_hex_string()
    }
}

impl Text for [u8; 32] {
    fn text(&self) -> String {
        format!("0x{}", hex::encode(self))
    }
}

macro_rules! numbers { ($($kind:ty)*) => { $(impl Text for $kind {
    fn text(&self) -> String { self.to_string() }
})* } }

numbers! { u32 u64 i64 num_bigint::BigInt }

macro_rules! only {
    ($kind:ident, $blob:expr, $($name:literal $field:ident),+) => {{
        let data = $kind::decode($blob).map_err(|e| e.to_string())?;
        let mut fields = Fields::new();
        $(fields.insert($name.into(), data.$field.text().into());)+
        fields
    }};
}

// The six fields that every version but the first begins with, and these.
macro_rules! fields {
    ($kind:ident, $blob:expr, $($name:literal $field:ident),+) => {
        only!($kind, $blob, "feedId" feed_id, "validFromTimestamp" valid_from_timestamp,
            "observationsTimestamp" observations_timestamp, "nativeFee" native_fee, "linkFee" link_fee,
            "expiresAt" expires_at, $($name $field),+)
    };
}

fn decode_blob(version: u16, blob: &[u8]) -> Result<Fields, String> {
    Ok(match version {
        1 => only!(ReportDataV1, blob, "feedId" feed_id, "observationsTimestamp" observations_timestamp,
            "benchmarkPrice" benchmark_price, "bid" bid, "ask" ask, "currentBlockNum" current_block_num,
            "currentBlockHash" current_block_hash, "validFromBlockNum" valid_from_block_num,
            "currentBlockTimestamp" current_block_timestamp),
        2 => fields!(ReportDataV2, blob, "benchmarkPrice" benchmark_price),
        3 => fields!(ReportDataV3, blob, "benchmarkPrice" benchmark_price, "bid" bid, "ask" ask),
        4 => fields!(ReportDataV4, blob, "benchmarkPrice" price, "marketStatus" market_status),
        5 => fields!(ReportDataV5, blob, "rate" rate, "timestamp" timestamp, "duration" duration),
        6 => fields!(ReportDataV6, blob, "price" price, "price2" price2, "price3" price3, "price4" price4,
            "price5" price5),
        7 => fields!(ReportDataV7, blob, "exchangeRate" exchange_rate),
        8 => fields!(ReportDataV8, blob, "lastUpdateTimestamp" last_update_timestamp, "midPrice" mid_price,
            "marketStatus" market_status),
        9 => fields!(ReportDataV9, blob, "navPerShare" nav_per_share, "navDate" nav_date, "aum" aum,
            "ripcord" ripcord),
        10 => fields!(ReportDataV10, blob, "lastUpdateTimestamp" last_update_timestamp, "price" price,
            "marketStatus" market_status, "currentMultiplier" current_multiplier, "newMultiplier" new_multiplier,
            "activationDateTime" activation_date_time, "tokenizedPrice" tokenized_price),
        11 => fields!(ReportDataV11, blob, "mid" mid, "lastSeenTimestampNs" last_seen_timestamp_ns, "bid" bid,
            "bidVolume" bid_volume, "ask" ask, "askVolume" ask_volume, "lastTradedPrice" last_traded_price,
            "marketStatus" market_status),
        12 => fields!(ReportDataV12, blob, "navPerShare" nav_per_share, "nextNavPerShare" next_nav_per_share,
            "navDate" nav_date, "ripcord" ripcord),
        13 => fields!(ReportDataV13, blob, "bestAsk" best_ask, "bestBid" best_bid, "askVolume" ask_volume,
            "bidVolume" bid_volume, "lastTradedPrice" last_traded_price),
        _ => return Err(format!("no decoder for version {version}")),
    })
}

fn number(fields: &Fields, name: &str) -> usize {
    fields.get(name).and_then(Value::as_str).and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn compressed(fields: &Fields, full_report: &str) -> Result<String, String> {
    let feed_id = fields["feedId"].as_str().unwrap_or("");
    let bytes = compress_report(Report {
        feed_id: ID::from_hex_str(feed_id).map_err(|e| e.to_string())?,
        valid_from_timestamp: number(fields, "validFromTimestamp"),
        observations_timestamp: number(fields, "observationsTimestamp"),
        full_report: full_report.to_string(),
    });
    bytes.map(hex::encode).map_err(|e| format!("{e:?}"))
}

fn decode(line: &str) -> Result<Value, String> {
    let payload = hex::decode(line.trim_start_matches("0x")).map_err(|e| e.to_string())?;
    let (_context, blob) = decode_full_report(&payload).map_err(|e| e.to_string())?;
    let feed_id = blob.get(..32).ok_or("no feed ID")?;
    let version = u16::from_be_bytes([feed_id[0], feed_id[1]]);
    let fields = decode_blob(version, &blob)?;
    let compressed = compressed(&fields, line)?;
    Ok(json!({ "version": version, "fields": fields, "compressed": compressed }))
}

fn decompress(line: &str) -> Result<Value, String> {
    let bytes = hex::decode(line).map_err(|e| e.to_string())?;
    let text = snap::raw::Decoder::new().decompress_vec(&bytes).map_err(|e| e.to_string())?;
    let report: Report = serde_json::from_slice(&text).map_err(|e| e.to_string())?;
    serde_json::to_value(report).map_err(|e| e.to_string())
}

fn main() -> io::Result<()> {
    let convert = match std::env::args().nth(1).as_deref() {
        Some("decode") => decode,
        Some("decompress") => decompress,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "interop decode|decompress")),
    };
    panic::set_hook(Box::new(|_| {})); // a panic of the crate is an answer, not the end
    let mut out = io::BufWriter::new(io::stdout());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = panic::catch_unwind(|| convert(&line)).unwrap_or_else(|_| Err("panic".into()));
        writeln!(out, "{}", answer.unwrap_or_else(|error| json!({ "error": error })))?;
    }
    out.flush()
}
