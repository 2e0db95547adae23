-- SPDX-License-Identifier: MIT
-- A feed in nginx delivers what the service has, each report once, whatever becomes of the worker that has its stream.
local await = require "spec.support.await"
local host = require "spec.support.host"
local nginx = require "spec.support.nginx"
local simulator = require "spec.support.simulator"
local subscriber = require "spec.support.subscriber"

if not (rawget(_G, "jit") and (nginx.is_there() or host.is_wanted "nginx")) then
  pending("nginx, or its Lua module, which runs LuaJIT, is not there", function() end)
  return
end

local WORKERS = 3

local paths = [[
  location /events { content_by_lua_block { require "chainlink.openresty".get "prices":sse() } }
  location /latest { content_by_lua_block {
    local report = require "chainlink.openresty".get "prices":latest(ngx.var.arg_id)
    ngx.print(report and report:to_json() or "none")
  } }
  location /old { content_by_lua_block {
    local prices, report = ngx.shared.prices, require "chainlink".decode(ngx.var.arg_report)
    local number = prices:get "chainlink:sequence" + 1
    prices:delete("chainlink:marks:" .. report.feed_id)
    prices:set("chainlink:latest:" .. report.feed_id, require "chainlink.openresty.record".pack(number, report))
  } }]]

-- The feeds: one of several reports a second, one of one a second, and one that has none in some seconds.
describe("a feed in nginx", function()
  local sim, client, ids, server, browsers
  setup(function()
    sim = simulator.start { feeds = 3, rate = 1, fast = "1:20", irregular = 1, rate_limit = 0 }
    client = sim:client()
    ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
  end)
  teardown(function()
    client:close()
    sim:stop()
  end)
  before_each(function() browsers = {} end)
  after_each(function()
    for _, browser in ipairs(browsers) do browser:close() end
    if server then server:stop() end
    server = nil
  end)

  local function start(more)
    server = nginx.start { environment = sim.env, workers = WORKERS, server = paths, http = ([[
      lua_shared_dict prices 40m;
      init_worker_by_lua_block { require "chainlink.openresty".new {
        dict = "prices", history = 4096, feed_ids = { %q, %q, %q }, %s
      } }]]):format(ids[1], ids[2], ids[3], more or "") }
    for _, id in ipairs(ids) do
      await("a report of each feed", function() return server:get("/latest?id=" .. id) ~= "none" end)
    end
  end

  local function open()
    local browser = subscriber.open(server, "/events")
    table.insert(browsers, browser)
    return browser
  end

  local function await_all(what, condition)
    return await(what, function()
      for _, browser in ipairs(browsers) do browser:pump() end
      return condition()
    end)
  end

  -- The second that every feed has come to.
  local function newest(browser)
    local by_feed, least = {}, math.huge
    for _, event in ipairs(browser.events) do by_feed[event.report.feed_id] = event.report.observations_timestamp end
    for _, id in ipairs(ids) do least = math.min(least, by_feed[id] or 0) end
    return least
  end

  -- So many more whole seconds.
  local function await_seconds(browser, count)
    await_all("events", function() return newest(browser) > 0 end)
    local until_then = newest(browser) + count + 1
    await_all("more events", function() return newest(browser) >= until_then end)
  end

  -- By feed, the full reports of a span of seconds in the order of their events.
  local function collected(events, feeds, first, last)
    local by_feed = {}
    for _, id in ipairs(feeds) do by_feed[id] = {} end
    for _, event in ipairs(events) do
      local list, second = by_feed[event.report.feed_id], event.report.observations_timestamp
      if list and second >= first and second <= last then table.insert(list, event.report.full_report) end
    end
    return by_feed
  end

  local function listed(feeds, first, last)
    local by_feed = {}
    for _, id in ipairs(feeds) do
      by_feed[id] = {}
      for report in client:reports(id, first, last) do table.insert(by_feed[id], report.full_report) end
    end
    return by_feed
  end

  local function count(by_feed)
    local sum = 0
    for _, list in pairs(by_feed) do sum = sum + #list end
    return sum
  end

  local function sorted(by_feed)
    for _, list in pairs(by_feed) do table.sort(list) end
    return by_feed
  end

  -- Of whole seconds, at least so many: the first events are the latest of each feed, from before. Those that REST is
  -- asked for may be on their way.
  local function assert_complete(browser, least, feeds, in_any_order)
    local first, last = 0, newest(browser) - 1
    for i = 1, #ids do first = math.max(first, browser.events[i].report.observations_timestamp + 1) end
    assert.is_true(last - first + 1 >= least)
    local expected = listed(feeds or ids, first, last)
    local found
    await_all("all that the service has", function()
      found = collected(browser.events, feeds or ids, first, last)
      return count(found) >= count(expected)
    end)
    if in_any_order then expected, found = sorted(expected), sorted(found) end
    assert.are.same(expected, found)
    assert.are.same({}, browser.others)
  end

  local function kill_leader()
    local killed = server:leader()
    server:signal("KILL", killed)
    await_all("another worker", function() return server:leader() ~= killed and #server:workers() == WORKERS end)
  end

  local function reload()
    local old = {}
    for _, pid in ipairs(server:workers()) do old[pid] = true end
    server:signal "HUP"
    await_all("new workers only", function()
      for _, pid in ipairs(server:workers()) do
        if old[pid] then return false end
      end
      return true
    end)
  end

  it("tells all reports of a second", function()
    start 'stream = { ha = true }'
    local browser = open()
    await_seconds(browser, 3)
    assert_complete(browser, 2)
    assert.are.equal(0, browser.breaks)
    local told = browser.events[#browser.events].report
    assert.is_true(told.received_at >= told.observations_timestamp)
    assert.matches("^o%d$", told.origin)
    local second = client:get_latest_report(ids[1]).observations_timestamp
    await("the latest report", function()
      return tonumber(server:get("/latest?id=" .. ids[1]):match '"observations_timestamp":(%d+)') >= second
    end)
  end)

  it("loses nothing and tells nothing twice as its workers are killed and reloaded", function()
    start()
    local browser = open()
    await_seconds(browser, 1)
    for _ = 1, 3 do
      kill_leader()
      await_seconds(browser, 1)
      reload()
      await_seconds(browser, 1)
    end
    assert_complete(browser, 5)
    assert.is_true(browser.breaks >= 3)
  end)

  it("loses nothing and tells nothing twice where reports come as they arrive", function()
    start 'stream = { order = "arrival" }'
    local browser = open()
    await_seconds(browser, 1)
    for _ = 1, 3 do
      kill_leader()
      await_seconds(browser, 1)
    end
    assert_complete(browser, 3, ids, true)
    local seen = {}
    for _, event in ipairs(browser.events) do
      assert.is_nil(seen[event.report.full_report])
      seen[event.report.full_report] = true
    end
  end)

  it("loses nothing because one of its feeds has had no report for long", function()
    start()
    local browser = open()
    await_seconds(browser, 1)
    local killed, old = server:leader(), client:get_report_page(ids[3], os.time() - 3600).reports[1]
    sim:control("POST", "/control/down?what=all")
    local missed_until = os.time() + 3
    await_all("what is missed", function() return os.time() >= missed_until end)
    assert.are.equal(200, select(2, server:get("/old?report=" .. old.full_report)))
    server:signal("KILL", killed)
    await_all("another worker", function() return server:leader() ~= killed end)
    sim:control("POST", "/control/up?what=all")
    await_seconds(browser, 2)
    assert_complete(browser, 2, { ids[1], ids[2] })
  end)

  it("loses nothing as a new binary takes over, where browsers of the old one go on", function()
    start()
    local browser = open()
    await_seconds(browser, 1)
    local old = server:pid()
    server:signal("USR2", old)
    await_all("a new master", function()
      local new = server:pid()
      return new and new ~= old and server:pid ".oldbin" == old
    end)
    local other
    await_all("a worker of the new master", function()
      other = open()
      await_all("its first event", function() return other.last end)
      return other.last:match "^%x+" ~= browser.last:match "^%x+"
    end)
    await_seconds(other, 2)
    assert.are.equal(0, browser.breaks)
    server:signal("QUIT", old)
    await_all("the old one's end", function() return not server:pid ".oldbin" end)
    await_seconds(browser, 2)
    assert.are.equal(other.last:match "^%x+", browser.last:match "^%x+")
    assert_complete(other, 3)
    assert_complete(browser, 4)
  end)
end)
