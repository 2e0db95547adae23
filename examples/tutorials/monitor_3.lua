-- SPDX-License-Identifier: MIT
-- Tutorial "A price monitor", step 3: silence and losses too.   lua monitor_3.lua [PERCENT [REPORTS]]
package.path = (assert(arg[0]):match "^.*/" or "./") .. "?.lua;" .. package.path
local chainlink, alerts = require "chainlink", require "alerts"
local judge = alerts.rule(tonumber(arg[1]) or 0.05, 60)
local left = tonumber(arg[2]) or math.huge
io.stdout:setvbuf "line" -- into a pipe or file too

local client = chainlink.client_from_env {
  on_status = function(event)
    if event.state == "lost" then print("ALERT reports were lost", event.from, event.to or "now", event.reason) end
    if event.state == "disconnected" then print("# connection lost: " .. (event.reason or "")) end
  end,
}
local stream = client:stream { "0x00030b43555ace6b39aae1b894097d0a9fc17f504c62fea598fa206cc6f5088e" }

while left > 0 do
  local report, err = stream:read(3)
  if report then
    local move, is_alert = judge(report)
    if is_alert then print(("ALERT %+.4f %% to %s"):format(move, report:exact "price")) end
    left = left - 1
  elseif err.kind == "TimeoutError" then
    print "ALERT no report for 3 seconds"
  else
    error(err, 0)
  end
end
client:close()
