-- SPDX-License-Identifier: MIT
-- chainlink-streams stream: reports as they come, until Ctrl-C, a time or a count; then statistics.

local core = require "chainlink.core"
local listening = require "chainlink.cli.listening"
local monitor = require "chainlink.web.monitor"
local names = require "chainlink.cli.names"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local session = require "chainlink.cli.session"
local template = require "chainlink.cli.template"
local text = require "chainlink.text"

local stream = {
  summary = "reports as they come, until Ctrl-C",
  usage = "stream FEED... [--seconds N] [--count N] [--order feed|arrival] [-f TEMPLATE] [--record DIR|FILE] "
    .. "[--metrics HOST:PORT]",
  network = true,
  endless = true,
  options = {
    { name = "seconds", value = "N", number = true, help = "stop after so long" },
    { name = "count", value = "N", number = "whole", help = "stop after so many reports" },
    { name = "order", value = "feed|arrival", choices = { "feed", "arrival" },
      help = "each feed's by their time (feed), or as they come" },
    { name = "record", value = "DIR|FILE", help = "keep all reports there as well, for replay; .gz, .zst: compressed" },
    { name = "rotate-bytes", value = "N", number = "whole", low = 1, high = 2 ^ 53,
      help = "begin a new recording before one becomes longer" },
    { name = "rotate-seconds", value = "N", number = "whole", low = 1, high = 31622400,
      help = "and with each such span of Unix time (86400: each day)" },
    { name = "fsync", help = "wait until the disk has what is written of a recording" },
    template.option,
    { name = "metrics", value = "HOST:PORT", help = "serve /metrics and /healthz there, over HTTP" },
    { name = "quiet", help = "no connection changes and statistics on standard error" },
  },
}

local function show_status(event)
  local line = { "#", event.state, text.plain(event.host or "") }
  if event.reason then line[#line + 1] = text.plain(event.reason) end
  io.stderr:write(table.concat(line, " "), "\n")
end

function stream.client_options(values)
  if not values.metrics then return { on_status = not values.quiet and show_status or nil } end
  local watch = monitor.new()
  values.monitor, values.server = watch, listening.open("metrics", values.metrics, watch:routes())
  if not values.quiet then io.stderr:write("# metrics on http://", values.server:address(), "/metrics\n") end
  return {
    loop = function(fd, seconds) values.server:wait(fd, seconds) end,
    on_status = function(event)
      watch:note(event)
      if not values.quiet then show_status(event) end
    end,
  }
end

-- Green for a price that rose, red for one that fell.
local function painter()
  local last = {}
  return function(cell, report)
    local before, price = last[report.feed_id], report.price
    last[report.feed_id] = price
    if not before or not price or price == before then return cell end
    return price > before and output.green(cell) or output.red(cell)
  end
end

local function write_statistics(stats)
  io.stderr:write(("# %.0f reports, %.0f duplicates, %.0f out of order, %.0f gaps, %.0f dropped, %.0f decode errors, "
    .. "%.0f reconnects\n"):format(stats.accepted, stats.deduplicated, stats.out_of_order, stats.gaps, stats.dropped,
    stats.decode_errors, stats.partial_reconnects + stats.full_reconnects))
  local latency = stats.latency
  if latency.mean then
    io.stderr:write(("# latency ms: min %.0f, mean %.0f, max %.0f\n"):format(latency.min, latency.mean, latency.max))
  end
end

local function read_all(source, values, write)
  local deadline = values.seconds and core.monotonic() + values.seconds
  local written = 0
  local attend = values.server and listening.attendant(values.server) or function() end
  while written ~= values.count do
    attend()
    local left = deadline and deadline - core.monotonic()
    if left and left <= 0 then return end
    local report, err = source:read(left)
    if report then
      write(report)
      output.flush() -- a reader wants them as they come; a stream buffered by lines would not tell that a disk is full
      written = written + 1
    elseif err.kind ~= "TimeoutError" then
      error(err, 0)
    end
  end
end

-- Ends the recording; -> the exit code: 1 when reports are missing in it.
local function end_recording(source, values)
  if not values.record then return 0 end
  local _, err = source:flush()
  local unwritten = source:stats().recording.unwritten
  source:unrecord()
  if err or unwritten > 0 then
    output.note("%s: %.0f reports were not written%s", values.record, unwritten, err and ": " .. err.message or "")
    return 1
  end
  return 0
end

local record_options = { rotate_bytes = "rotate-bytes", rotate_seconds = "rotate-seconds", fsync = "fsync" }

-- What is asked for of the recording.
local function record_values(values)
  local wanted = {}
  for name, option in pairs(record_options) do
    wanted[name] = values[option]
    if values[option] and not values.record then
      options.usage_error("--%s is of --record, which is missing", option)
    end
  end
  return wanted
end

function stream.run(client, values, rest)
  local recording = record_values(values)
  local kind = session.kind(values)
  local ids, known = names.feeds(client, rest, kind)
  local source = session.check(client:stream(ids, { order = values.order }))
  if values.record then session.check(source:record(values.record, recording)) end
  if values.monitor then values.monitor:watch(client, source, ids) end
  local write = session.report_writer(kind, ids, known, painter())
  output.flush()
  local ok, err = pcall(read_all, source, values, write)
  local code, stats = end_recording(source, values), source:stats()
  source:close()
  if not values.quiet then write_statistics(stats) end
  if not ok then error(err, 0) end
  return code
end

return stream
