-- SPDX-License-Identifier: MIT
-- This client beside the official SDKs and the Python package: each row is measured in turns, peer after peer, round
-- after round. Prints the table of docs/performance.md and draws its chart.   peers.lua FOLDER ROUNDS [ROW…]
-- FOLDER is for what is needed meanwhile; the chart goes to build/peers/peers.svg.
package.path = "bench/?.lua;" .. package.path
local chart = require "chart"
local chainlink = require "chainlink"
local core = require "chainlink.core"
local median = require "median"
local simulator = require "spec.support.simulator"
local source = require "source"

local folder, rounds = arg[1], tonumber(arg[2])
local chosen = {}
for i = 3, #arg do chosen[arg[i]] = true end

-- ---- the peers ----

local here = assert(os.getenv "PWD")
local lua = os.getenv "LUA_BIN" .. " bench/peers/ours.lua"
local luajit = ("env LUA_CPATH='%s/build/luajit/?.so;;' luajit bench/peers/ours.lua"):format(here)
local rust = "build/peers/release/peer"
local python = os.getenv "PEER_PYTHON"

-- slowness: by about so much less is asked of it, so that a row does not take minutes.
local peers = {
  { name = "this client, Lua 5.4", command = lua, slowness = 1, ours = true },
  { name = "this client, LuaJIT", command = luajit, slowness = 1, ours = true },
  { name = "Rust SDK", command = rust .. " 0", slowness = 1 },
  { name = "Rust SDK, one thread", command = rust .. " 1", slowness = 1 },
  { name = "TypeScript SDK", command = "node bench/peers/sdk.mjs", slowness = 20 },
  { name = "Python package", command = python .. " bench/peers/peer.py", slowness = 10,
    lacks_ha = true, lacks_limit = true },
}

-- ---- services ----

local feed_ids = source.feed_ids

local function sending(rate, batch)
  return source.start(folder, rate, batch)
end

local function simulated(feeds, origins)
  return simulator.start { feed = feed_ids(feeds), origins = origins, rate_limit = 0 }
end

local function input(words)
  local name = folder .. "/input"
  local file = assert(io.open(name, "w"))
  file:write(table.concat(words, "\n"), "\n")
  file:close()
  return name
end

-- Runs the peer with these words; answers the numbers that it prints, and how long it took in milliseconds.
local function run(peer, service, words, ...)
  local trust = ("SSL_CERT_FILE='%s' REQUESTS_CA_BUNDLE='%s' NODE_EXTRA_CA_CERTS='%s'"):gsub("%%s", service.ca_file)
  local command = ("%s %s timeout 300 %s %s < %s"):format(trust, service:exports(), peer.command,
    table.concat({ ... }, " "), input(words))
  local started = core.monotonic()
  local pipe = assert(io.popen(command))
  local text, numbers = pipe:read "*a", {}
  local took = core.monotonic() - started
  pipe:close()
  for number in text:gmatch "%S+" do numbers[#numbers + 1] = tonumber(number) end
  assert(numbers[1], peer.name .. " failed: " .. command .. "\n" .. text)
  return numbers, took * 1000
end

-- ---- rows ----

local function streamed(count, ha)
  return function(service, peer, feeds)
    if ha and peer.lacks_ha then return {} end
    local most = math.max(feeds, math.floor(count / peer.slowness))
    return run(peer, service, feed_ids(feeds), "stream", 2 * feeds, most, ha and "ha" or "")
  end
end

-- At so many reports a second, for some seconds whoever reads.
local function idle(ha)
  return function(service, peer, feeds)
    if ha and peer.lacks_ha then return {} end
    local figures = run(peer, service, feed_ids(feeds), "stream", 2 * feeds, 8 * feeds, ha and "ha" or "")
    return { figures[1] * figures[2] / 1e4, figures[3] / 1024, figures[4] / 1024 }
  end
end

local function latency(service, peer, feeds)
  return run(peer, service, feed_ids(feeds), "latency", 1000, 5000)
end

local function history(limit)
  return function(service, peer)
    if limit ~= 100 and peer.lacks_limit then return {} end
    local pages = math.max(3, math.floor(20000 / limit / peer.slowness))
    return run(peer, service, feed_ids(1), "history", pages, limit)
  end
end

local function cold(service, peer)
  local _, took = run(peer, service, feed_ids(1), "first")
  return { took }
end

local function decode(service, peer)
  local client = service:client { rate_limit = false }
  local report = assert(client:get_report_page(feed_ids(1)[1], os.time() - 60, 1)).reports[1]
  client:close()
  return run(peer, service, { report.full_report }, "decode", math.floor(200000 / peer.slowness ^ 1.5))
end

-- Each has a name, a service, and what to do with a peer; columns: what the numbers are.
local rows = {
  { name = "decode", start = sending, with = { 1, 1 }, measure = decode,
    columns = { { "hex of a full report to price, bid and ask", "ns" } } },
  { name = "burst", start = simulated, with = { 900, 1 }, measure = streamed(9000), feeds = 900,
    columns = { { "900 feeds, 1 report a second each, all at once: CPU a report", "µs" } } },
  { name = "1000", start = sending, with = { 1000, 1 }, measure = streamed(8000), feeds = 100,
    columns = { { "100 feeds, 1,000 reports a second: CPU a report", "µs" } } },
  { name = "5000", start = sending, with = { 5000, 1 }, measure = streamed(40000), feeds = 100,
    columns = { { "100 feeds, 5,000 reports a second: CPU a report", "µs" } } },
  { name = "saturated", start = sending, with = { 0, 1 }, measure = streamed(200000), feeds = 100,
    columns = { { "as fast as they are taken, a TLS record each: CPU a report", "µs" }, { "received", "reports/s" } } },
  { name = "records", start = sending, with = { 0, 9 }, measure = streamed(200000), feeds = 100,
    columns = { { "as fast as they are taken, TLS records of 16 KiB: CPU a report", "µs" },
      { "received", "reports/s" } } },
  { name = "latency", start = sending, with = { 1000, 1 }, measure = latency, feeds = 100,
    columns = { { "latency at 1,000 reports a second: p50", "µs" }, { "p99", "µs" }, { "p999", "µs" } } },
  { name = "idle", start = simulated, with = { 500, 1 }, measure = idle(), feeds = 500,
    columns = { { "500 feeds, 1 report a second each: CPU", "% of a core" }, { "most memory", "MiB" },
      { "private memory", "MiB" } } },
  { name = "ha", start = simulated, with = { 500, 2 }, measure = idle(true), feeds = 500,
    columns = { { "the same with two origins: CPU", "% of a core" }, { "most memory", "MiB" },
      { "private memory", "MiB" } } },
  { name = "history", start = sending, with = { 0, 1 }, measure = history(100),
    columns = { { "history by pages of 100: CPU a report", "µs" } } },
  { name = "history500", start = sending, with = { 0, 1 }, measure = history(500),
    columns = { { "history by pages of 500: CPU a report", "µs" } } },
  { name = "first", start = sending, with = { 1000, 1 }, measure = cold,
    columns = { { "from the start of the program to the first report", "ms" } } },
}

local function measure(row)
  local service = row.start(row.with[1], row.with[2])
  row.figures = {}
  for round = 1, rounds do
    for i, peer in ipairs(peers) do
      row.figures[i] = row.figures[i] or {}
      row.figures[i][round] = row.measure(service, peer, row.feeds)
    end
  end
  service:stop()
end

-- ---- what is shown ----

local function short(value)
  if value >= 1000 then
    local text = ("%.0f"):format(value)
    return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
  end
  return (value >= 100 and "%.0f" or value >= 10 and "%.1f" or "%.2f"):format(value)
end

-- Of a peer the column's values; nil where it lacks what the row is about.
local function values(row, column, peer)
  local all = {}
  for round = 1, rounds do all[round] = row.figures[peer][round][column] end
  return all[1] and all
end

local function cells(row, column)
  local texts, bars = {}, {}
  for i, peer in ipairs(peers) do
    local all = values(row, column, i)
    texts[i] = "–"
    if all then
      local middle, lowest, highest = median.of(all)
      texts[i] = rounds > 1 and ("%s (%s to %s)"):format(short(middle), short(lowest), short(highest)) or short(middle)
      bars[#bars + 1] = { name = peer.name, value = middle, text = short(middle), ours = peer.ours }
    end
  end
  return texts, bars
end

local function ratio(row, column)
  local is_rate, best = row.columns[column][2] == "reports/s", nil
  for i, peer in ipairs(peers) do
    local all = not peer.ours and values(row, column, i)
    local theirs = all and median.of(all)
    local is_better = theirs and (not best or (is_rate and theirs > best) or (not is_rate and theirs < best))
    if is_better then best = theirs end
  end
  return ("%.2f"):format(median.of(values(row, column, 1)) / best)
end

local names = {}
for i, peer in ipairs(peers) do names[i] = peer.name end
print("| | " .. table.concat(names, " | ") .. " | ours to the best peer's |")
print("| --- |" .. (" --- |"):rep(#peers + 1))
local charts = {}
for _, row in ipairs(rows) do
  if not next(chosen) or chosen[row.name] then
    measure(row)
    for column, what in ipairs(row.columns) do
      local texts, bars = cells(row, column)
      print(("| %s, %s | %s | %s |"):format(what[1], what[2], table.concat(texts, " | "), ratio(row, column)))
      io.stdout:flush()
      charts[#charts + 1] = { title = ("%s, %s"):format(what[1], what[2]), bars = bars }
    end
  end
end
chart.write("build/peers/peers.svg", charts)
print("chainlink " .. chainlink._VERSION .. "; Go SDK: not where Go's module proxy gets modules from, so not measured")
