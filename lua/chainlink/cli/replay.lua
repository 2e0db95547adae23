-- SPDX-License-Identifier: MIT
-- chainlink-streams replay: the reports of a recording.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local session = require "chainlink.cli.session"
local template = require "chainlink.cli.template"
local times = require "chainlink.cli.time"

local function speed_of(text)
  if text == nil or text == "max" then return text end
  local value = text:find "^[%d.]+$" and tonumber(text)
  if value and value > 0 and value < math.huge then return value end
  options.usage_error("--speed must be a number above 0, or max, not '%s'", text)
end

local function open(values, paths)
  local now = os.time()
  return session.check(chainlink.replay(paths, {
    speed = speed_of(values.speed), feeds = values.feed,
    from = values.from and options.time(values.from, now), to = values.to and options.time(values.to, now),
    verify = values.signers and session.check(chainlink.signers.from_file(values.signers)) or nil,
    logger = not values.quiet and session.log or nil, log_level = "warn",
  }))
end

local function write_all(source, values, write)
  local written = 0
  while written ~= values.count do
    local report, err = source:poll()
    if not report and not err then
      output.flush() -- whoever watches wants what is there before the wait
      report, err = source:read()
    end
    if report then
      write(report)
      written = written + 1
    elseif err.kind == "StreamClosedError" then return
    else error(err, 0) end
  end
end

return {
  summary = "the reports of a recording, as they came",
  usage = "replay DIR|FILE... [--speed N|max] [--from TIME] [--to TIME] [-f TEMPLATE]",
  notes = "TIME: " .. times.forms .. "\nrecordings are made by stream --record",
  options = {
    { name = "speed", value = "N|max", help = "so many times as fast as they came, or at once (default: 1)" },
    { name = "from", value = "TIME", help = "first second of the observations" },
    { name = "to", value = "TIME", help = "last second" },
    { name = "feed", value = "ID", repeats = true, help = "only this feed; may be given again" },
    { name = "signers", value = "FILE", help = "only reports that these oracles signed" },
    { name = "count", value = "N", number = "whole", help = "stop after so many reports" },
    template.option,
    { name = "quiet", help = "no holes and statistics on standard error" },
  },
  run = function(_, values, rest)
    local kind = session.kind(values)
    if #rest == 0 then options.usage_error "replay needs a recording" end
    local source = open(values, rest)
    local ok, err = pcall(function()
      write_all(source, values, session.report_writer(kind, core.replay_feeds(source), {}))
      output.flush()
    end)
    local stats = source:stats()
    source:close()
    if not values.quiet then
      io.stderr:write(("# %.0f reports, %.0f holes, %.0f lines that cannot be read, %.0f unverified\n"):format(
        stats.accepted, stats.lost, stats.decode_errors, stats.unverified))
    end
    if not ok then error(err, 0) end
    return stats.decode_errors + stats.unverified == 0 and 0 or 1
  end,
}
