-- SPDX-License-Identifier: MIT
-- What a feed costs an nginx that has other things to do: wrk asks for a location that has nothing to do with it, with
-- the feed off and on, in turn; requests a second and the slowest hundredth are compared. Arguments: rounds, seconds of
-- each, feeds of a report a second each.

package.path = "bench/?.lua;" .. package.path
local median = require "median"
local nginx = require "spec.support.nginx"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"
local socket = require "socket"

local rounds, seconds, feeds = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])

local sim = simulator.start { feeds = feeds, rate_limit = 0 }
local client = sim:client()
local ids = {}
for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = ("%q"):format(feed.id) end
client:close()

local making = ([[init_worker_by_lua_block {
  require "chainlink.openresty".new { dict = "prices", feed_ids = { %s } }
}]]):format(table.concat(ids, ", "))
local locations = [[
  location /other { return 200 "other"; }
  location /count { content_by_lua_block { ngx.print(ngx.shared.prices:get "chainlink:sequence" or 0) } }]]

local units = { us = 1e-3, ms = 1, s = 1000 }

-- -> requests a second, milliseconds of the slowest hundredth, reports a second
local function measure(is_on)
  local server = nginx.start { environment = sim.env, server = locations,
    http = "lua_shared_dict prices 64m; " .. (is_on and making or "") }
  local function count() return tonumber((server:get "/count")) end
  while is_on and count() < feeds do socket.sleep(0.05) end
  local before = count()
  local output = project.run(("wrk -t1 -c16 -d%ds --latency http://127.0.0.1:%d/other"):format(seconds, server.port))
  local reports = (count() - before) / seconds
  server:stop()
  local rate, slowest, unit = output:match "Requests/sec:%s+([%d.]+)", output:match "99%%%s+([%d.]+)(%a+)"
  return assert(tonumber(rate), output), slowest * units[unit], reports
end

local figures = { [true] = { {}, {}, {} }, [false] = { {}, {}, {} } }
for _ = 1, rounds do
  for _, is_on in ipairs { false, true } do
    for i, value in ipairs { measure(is_on) } do table.insert(figures[is_on][i], value) end
  end
end
sim:stop()

for _, is_on in ipairs { false, true } do
  local what = is_on and "with a feed" or "without a feed"
  median.print(what, "requests/s", figures[is_on][1])
  median.print(what .. ": 99 % are answered within", "ms", figures[is_on][2])
end
median.print("the feed's", "reports/s", figures[true][3])

local function ratio(which) return median.of(figures[true][which]) / median.of(figures[false][which]) end
print(("with/without: requests/s %.2f, 99 %% %.2f"):format(ratio(1), ratio(2)))
