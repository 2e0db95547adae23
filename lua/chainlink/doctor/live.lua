-- SPDX-License-Identifier: MIT
-- The service's WebSocket: its origins, both versions, and how long a first report takes to come.

local core = require "chainlink.core"
local account = require "chainlink.doctor.account"

local live = {}

--- The finding about the service's origins.
function live.origins(findings, client)
  local probe = core.probe(client, 1, true, false)
  local names = probe.origins or {}
  local advice = "`ha = true` has a second connection only where there are two"
  if probe.error then findings:fail("origins", probe.error.message)
  elseif probe.status ~= 200 then
    findings:fail("origins", ("HEAD / answered %d"):format(probe.status), "check the credentials and the clock")
  elseif #names == 0 then findings:warn("origins", "the service names none", advice)
  elseif #names == 1 then findings:warn("origins", "the service names one, " .. names[1], advice)
  else findings:ok("origins", ("the service names %d: %s"):format(#names, table.concat(names, ", "))) end
end

local function tell_failure(findings, version, name, err, seconds, connected)
  if err.kind == "TimeoutError" and connected then
    findings:fail(version, ("%s: connected, and no report came within %g s"):format(name, seconds),
      "a closed market has none; see the feed's hours, or give --seconds more", err)
  elseif version == "v2" and err.status == 404 then
    findings:warn(version, "the service has no version 2 of its WebSocket (404)", "only millisecond feeds need it")
  else
    findings:fail(version, ("%s: %s"):format(name, err.message),
      "REST works without the WebSocket: check that its URL is right, and that proxies let an upgrade through", err)
  end
end

-- Streams the feed by that version until a first report comes.
local function examine(findings, client, feed, version, context)
  local began, connected = core.monotonic(), nil
  local stream, err = client:stream({ feed.id }, { protocol = version, backfill = false, max_reconnects = 0,
    on_status = function(event)
      if event.state == "connected" then connected = core.monotonic() - began end
    end })
  local report
  if stream then report, err = stream:read(context.seconds) end
  local name, took = feed.name or feed.id, core.monotonic() - began
  if report then
    findings:ok(version, ("%s: connected in %.0f ms, a first report %.1f s later, %.1f s old"):format(name,
      (connected or 0) * 1000, took - (connected or 0), account.age_of(report, context.clock_ahead)))
  else
    tell_failure(findings, version, name, err, context.seconds, connected)
  end
  if stream then stream:close() end
end

--- The findings about both versions. A feed whose times are finer than seconds has the second only.
function live.examine(findings, client, feed, context)
  if feed.resolution == "s" then examine(findings, client, feed, "v1", context) end
  examine(findings, client, feed, "v2", context)
end

return live
