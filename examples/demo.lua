-- SPDX-License-Identifier: MIT
-- Twelve feeds of as many schemas in a live table for ten seconds, a page of history, the statistics.
-- DEMO_LIVE=1 redraws the table in place (examples/demo.sh sets it on a terminal), else each report is a line.
local chainlink = require "chainlink"

local FEEDS, SECONDS = 12, tonumber(os.getenv "DEMO_SECONDS") or 10
local live = os.getenv "DEMO_LIVE" == "1"

local function bold(text)
  return live and ("\27[1m" .. text .. "\27[0m") or text
end

-- One feed of each schema first, so that the table shows many kinds, then more of them.
local function choose(feeds)
  local chosen, taken = {}, {}
  for round = 1, FEEDS do
    local seen = {}
    for _, feed in ipairs(feeds) do
      if #chosen < FEEDS and not taken[feed.id] and not seen[feed.version] and feed.version > 1 then
        taken[feed.id], seen[feed.version] = true, true
        chosen[#chosen + 1] = feed
      end
    end
    if #chosen == FEEDS or round > #feeds then break end
  end
  table.sort(chosen, function(a, b) return a.version < b.version end)
  return chosen
end

local function number(value)
  if value == nil then return "" end
  local size = math.abs(value)
  return (size >= 100 and "%.2f" or size >= 1 and "%.4f" or "%.6f"):format(value)
end

local HEAD = ("%-16s %-6s %12s %14s %14s %8s %9s"):format(
  "feed", "schema", "price", "bid", "ask", "reports", "observed")

local function row(feed, report, count)
  return ("%-16s %-6s %12s %14s %14s %8d %9s"):format(
    feed.name or (feed.id:sub(1, 8) .. ".." .. feed.id:sub(-4)), "v" .. feed.version,
    report and number(report.price) or "...", report and number(report.bid or report.best_bid) or "",
    report and number(report.ask or report.best_ask) or "", count,
    report and os.date("!%H:%M:%S", report.observations_timestamp) or "")
end

local drawn = false
local function draw(feeds, newest, counts)
  local lines = { bold(HEAD) }
  for _, feed in ipairs(feeds) do
    lines[#lines + 1] = row(feed, newest[feed.id], counts[feed.id])
  end
  if drawn then io.write("\27[", #lines, "A") end -- back up to the table's first line
  for _, line in ipairs(lines) do io.write("\27[K", line, "\n") end
  io.flush()
  drawn = true
end

local function watch(client, feeds)
  local ids, by_id, newest, counts = {}, {}, {}, {}
  for i, feed in ipairs(feeds) do
    ids[i], by_id[feed.id], counts[feed.id] = feed.id, feed, 0
  end
  local stream = client:stream(ids)
  assert(stream:connect(10))
  if not live then print(HEAD) end
  local stop = os.time() + SECONDS
  while os.time() < stop do
    local report, err = stream:read(0.25)
    if report then
      newest[report.feed_id] = report
      counts[report.feed_id] = counts[report.feed_id] + 1
      if not live then print(row(by_id[report.feed_id], report, counts[report.feed_id])) end
    elseif err.kind ~= "TimeoutError" then
      error(err)
    end
    if live then draw(feeds, newest, counts) end
  end
  local stats = stream:stats()
  stream:close()
  return stats
end

-- The first Crypto feed (v3), as it is the best known; any would do.
local function history(client, feeds)
  local feed = feeds[1]
  for _, other in ipairs(feeds) do
    if other.version == 3 then feed = other end
  end
  local page = assert(client:get_report_page(feed.id, os.time() - 60, 5))
  print(bold(("\nFive reports of %s from a minute ago, exact values"):format(feed.name or feed.id)))
  for _, report in ipairs(page.reports) do
    print(("%s  price %s  (%d bytes, %d signatures)"):format(
      os.date("!%H:%M:%S", report.observations_timestamp), report:exact "price", #report:bytes(), #report.signatures))
  end
end

local function statistics(stream, client)
  print(bold "\nStatistics")
  print(("stream  %d reports accepted, %d duplicates, %d gaps, %d decode errors, mean latency %.0f ms")
    :format(stream.accepted, stream.deduplicated, stream.gaps, stream.decode_errors, stream.latency.mean or 0))
  print(("client  %d requests, %d retries, %d failures"):format(client.requests, client.retries, client.failures))
end

local client = chainlink.client_from_env()

local function main()
  local feeds = choose(assert(client:get_feeds()))
  print(bold(("chainlink %s: %d feeds for %d seconds, over WebSocket and TLS\n")
    :format(chainlink._VERSION, #feeds, SECONDS)))
  local stream_stats = watch(client, feeds)
  history(client, feeds)
  statistics(stream_stats, client:stats())
end

local ok, err = pcall(main)
client:close()
if not ok and tostring(err):find("interrupted!", 1, true) then os.exit(130, true) end -- Ctrl-C
if not ok then error(err, 0) end
