-- SPDX-License-Identifier: MIT
-- What a feed costs an nginx that has other things to do: wrk asks for a location that has nothing to do with it, in
-- turn without the feed, without it while another process reads the same stream, and with it; requests a second and the
-- slowest hundredth are compared. As simulator, wrk and nginx share the machine, the second says what of it is the
-- machine's. The reports of a second come all at the same moment, as the service's nearly do, and then spread over a
-- hundred moments. Arguments: rounds, seconds of each, reports a second.

package.path = "bench/?.lua;" .. package.path
local median = require "median"
local nginx = require "spec.support.nginx"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"
local socket = require "socket"

local rounds, seconds, per_second = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])

local locations = [[
  location /other { return 200 "other"; }
  location /count { content_by_lua_block { ngx.print(ngx.shared.prices:get "chainlink:sequence" or 0) } }]]

local units = { us = 1e-3, ms = 1, s = 1000 }

local NONE, BESIDE, IN_NGINX = "without a feed", "read by another process", "with a feed"
local ways = { NONE, BESIDE, IN_NGINX }

-- So many feeds of so many reports a second each. -> {sim=, feeds=, making= the directive that makes the feed in nginx}
local function load_of(feeds, rate)
  local sim = simulator.start { feeds = feeds, rate = rate, rate_limit = 0 }
  local client, ids = sim:client(), {}
  for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = ("%q"):format(feed.id) end
  client:close()
  return { sim = sim, feeds = feeds, making = ([[init_worker_by_lua_block {
    require "chainlink.openresty".new { dict = "prices", feed_ids = { %s } }
  }]]):format(table.concat(ids, ", ")) }
end

-- Another process that reads the stream, once it has had a report of each feed. -> what ends it
local function read_beside(sim)
  local pipe = assert(io.popen(("echo $$; %s exec '%s' bench/reader.lua"):format(sim:exports(), os.getenv "LUA_BIN")))
  local pid = pipe:read "*l"
  assert(pipe:read "*l" == "all", "the reader does not read")
  return function()
    project.run("kill " .. pid)
    pipe:close()
  end
end

-- -> requests a second, milliseconds of the slowest hundredth, reports a second
local function measure(load, way)
  local server = nginx.start { environment = load.sim.env, server = locations,
    http = "lua_shared_dict prices 64m; " .. (way == IN_NGINX and load.making or "") }
  local stop = way == BESIDE and read_beside(load.sim)
  local function count() return tonumber((server:get "/count")) end
  while way == IN_NGINX and count() < load.feeds do socket.sleep(0.05) end
  local before = count()
  local output = project.run(("wrk -t1 -c16 -d%ds --latency http://127.0.0.1:%d/other"):format(seconds, server.port))
  local reports = (count() - before) / seconds
  if stop then stop() end
  server:stop()
  local rate, slowest, unit = output:match "Requests/sec:%s+([%d.]+)", output:match "99%%%s+([%d.]+)(%a+)"
  return assert(tonumber(rate), output), slowest * units[unit], reports
end

local function compare(figures, one, other)
  local function ratio(which) return median.of(figures[one][which]) / median.of(figures[other][which]) end
  print(("%s/%s: requests/s %.2f, 99 %% %.2f"):format(one, other, ratio(1), ratio(2)))
end

local function run(what, load)
  local figures = {}
  for _, way in ipairs(ways) do figures[way] = { {}, {}, {} } end
  for _ = 1, rounds do
    for _, way in ipairs(ways) do
      for i, value in ipairs { measure(load, way) } do table.insert(figures[way][i], value) end
    end
  end
  load.sim:stop()
  print(("# %d reports a second, %s"):format(per_second, what))
  for _, way in ipairs(ways) do
    median.print(way, "requests/s", figures[way][1])
    median.print(way .. ": 99 % are answered within", "ms", figures[way][2])
  end
  median.print("the feed's", "reports/s", figures[IN_NGINX][3])
  compare(figures, BESIDE, NONE)
  compare(figures, IN_NGINX, NONE)
  compare(figures, IN_NGINX, BESIDE)
end

run("all at once", load_of(per_second, 1))
run("spread over the second", load_of(per_second / 100, 100))
