-- SPDX-License-Identifier: MIT
-- What a feed costs an nginx that has other things to do: wrk asks for a location that has nothing to do with it, in
-- turn without the feed, without it while another process reads the same stream, and with it; requests a second and the
-- slowest hundredth are compared. As simulator, wrk and nginx share the machine, the second says what of it is the
-- machine's. All feeds' reports come at the same moment of each second, as the service's nearly do. Arguments: rounds,
-- seconds of each, feeds of a report a second each.

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

local NONE, BESIDE, IN_NGINX = "without a feed", "read by another process", "with a feed"
local ways = { NONE, BESIDE, IN_NGINX }

-- Another process that reads the stream, once it has had a report of each feed. -> what ends it
local function read_beside()
  local pipe = assert(io.popen(("echo $$; %s exec '%s' bench/reader.lua"):format(sim:exports(), os.getenv "LUA_BIN")))
  local pid = pipe:read "*l"
  assert(pipe:read "*l" == "all", "the reader does not read")
  return function()
    project.run("kill " .. pid)
    pipe:close()
  end
end

-- -> requests a second, milliseconds of the slowest hundredth, reports a second
local function measure(way)
  local server = nginx.start { environment = sim.env, server = locations,
    http = "lua_shared_dict prices 64m; " .. (way == IN_NGINX and making or "") }
  local stop = way == BESIDE and read_beside()
  local function count() return tonumber((server:get "/count")) end
  while way == IN_NGINX and count() < feeds do socket.sleep(0.05) end
  local before = count()
  local output = project.run(("wrk -t1 -c16 -d%ds --latency http://127.0.0.1:%d/other"):format(seconds, server.port))
  local reports = (count() - before) / seconds
  if stop then stop() end
  server:stop()
  local rate, slowest, unit = output:match "Requests/sec:%s+([%d.]+)", output:match "99%%%s+([%d.]+)(%a+)"
  return assert(tonumber(rate), output), slowest * units[unit], reports
end

local figures = {}
for _, way in ipairs(ways) do figures[way] = { {}, {}, {} } end
for _ = 1, rounds do
  for _, way in ipairs(ways) do
    for i, value in ipairs { measure(way) } do table.insert(figures[way][i], value) end
  end
end
sim:stop()

for _, way in ipairs(ways) do
  median.print(way, "requests/s", figures[way][1])
  median.print(way .. ": 99 % are answered within", "ms", figures[way][2])
end
median.print("the feed's", "reports/s", figures[IN_NGINX][3])

local function compare(one, other)
  local function ratio(which) return median.of(figures[one][which]) / median.of(figures[other][which]) end
  print(("%s/%s: requests/s %.2f, 99 %% %.2f"):format(one, other, ratio(1), ratio(2)))
end
compare(BESIDE, NONE)
compare(IN_NGINX, NONE)
compare(IN_NGINX, BESIDE)
