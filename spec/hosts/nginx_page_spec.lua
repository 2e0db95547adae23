-- SPDX-License-Identifier: MIT
-- The live page as nginx serves it, by the example's configuration; what a browser sees of it is in page_spec.lua.
local await = require "spec.support.await"
local cjson = require "cjson"
local host = require "spec.support.host"
local nginx = require "spec.support.nginx"
local serving = require "spec.support.serving"

if not (rawget(_G, "jit") and (nginx.is_there() or host.is_wanted "nginx")) then
  pending("nginx, or its Lua module, which runs LuaJIT, is not there", function() end)
  return
end

describe("examples/nginx/nginx.conf", function()
  local service, sim, feeds, server
  setup(function()
    service = serving.service()
    sim, feeds = service.sim, service.feeds
  end)
  teardown(function() service:stop() end)
  after_each(function()
    if server then server:stop() end
    server = nil
    sim:control("POST", "/control/up?what=all")
  end)

  local given = 'feeds = { "ETH/USD", "BTC/USD", "EUR/USD", "XAU/USD" }'

  local function start(replaced)
    server = nginx.start { file = "examples/nginx/nginx.conf", environment = sim.env,
      replace = replaced and { [given] = replaced } }
    return server
  end

  local function listed(more)
    return ("{ %q, %q, %q%s }"):format(feeds[1].name, feeds[2].name, feeds[3].id, more or "")
  end

  -- What comes of /events until has(told) is true: told.feed and told.report by feed id, told.state the last one.
  local function read(has, path)
    local client = server:open(path or "/events", "")
    client:settimeout(60)
    local told, event = { feed = {}, report = {} }, nil
    while not has(told) do
      local line = assert(client:receive "*l")
      event = line:match "^event: (%l+)" or event
      local data = line:match "^data: (.*)$"
      local value = data and cjson.decode(data)
      if value and told[event] and event ~= "state" then told[event][value.feed_id] = value
      elseif value then told[event] = value end
    end
    client:close()
    return told
  end

  local function has_state(words)
    return function(told) return told.state and table.concat(told.state.reasons, "\n"):find(words, 1, true) end
  end

  it("serves page, events, metrics and health, with a policy for browsers", function()
    start("feeds = " .. listed())
    await("health", function() return (server:get "/healthz"):find('"degraded"', 1, true) end)
    assert.matches("# EOF\n$", (server:get "/metrics"))
    for path, kind in pairs { ["/"] = "text/html", ["/page.js"] = "text/javascript", ["/page.css"] = "text/css",
      ["/favicon.svg"] = "image/svg+xml" } do
      local client = server:open(path)
      local head = assert(client:receive "*a"):match "^(HTTP/1.1 200 .-)\r\n\r\n."
      client:close()
      assert.matches("Content-Type: " .. kind, head, 1, true)
      assert.matches("Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self';", head, 1, true)
      assert.matches("X-Content-Type-Options: nosniff", head, 1, true)
    end
    assert.are.equal(404, (select(2, server:get "/serve.lua")))
  end)

  it("tells names, prices, and in words what is wrong with a name and a feed without permission", function()
    start("feeds = " .. listed ', "NOPE/USD", "0x12"')
    local told = read(function(told)
      return told.report[feeds[1].id] and told.report[feeds[2].id] and told.feed[feeds[3].id]
        and told.feed[feeds[3].id].problem and told.state and told.state.status == "degraded"
    end)
    assert.are.equal(feeds[1].name, told.feed[feeds[1].id].name)
    assert.matches("no feed is named 'NOPE/USD'", told.feed["NOPE/USD"].problem, 1, true)
    assert.matches("64 hex digits", told.feed["0x12"].problem, 1, true)
    assert.matches("not permitted", told.feed[feeds[3].id].problem, 1, true)
    local report = told.report[feeds[2].id]
    local expected = assert(service.client:get_report(feeds[2].id, report.observations_timestamp)):to_table()
    expected.received_at, expected.origin = report.received_at, report.origin
    assert.are.same(expected, report)
  end)

  it("is degraded by feeds that are refused or unknown, which its health names", function()
    start("feeds = " .. listed ', "NOPE/USD"')
    await("the feeds that are not streamed", function()
      local body, status = server:get "/healthz"
      return status == 200 and body == ('{"status":"degraded","reasons":["refused or unknown, so not streamed: %s, '
        .. 'NOPE/USD"]}\n'):format(feeds[3].id)
    end)
    server:stop()
    start(("feed_ids = { %q, %q, %q }"):format(feeds[1].id, feeds[2].id, feeds[3].id))
    await("the feed that is not streamed", function()
      return server:get "/healthz" == ('{"status":"degraded","reasons":["refused or unknown, so not streamed: %s"]}\n')
        :format(feeds[3].id)
    end)
  end)

  it("streams feeds given by id at once, has their names later, and leaves out those that are refused", function()
    start(("feed_ids = { %q, %q, %q }"):format(feeds[1].id, feeds[2].id, feeds[3].id))
    local told = read(function(told)
      local first, third = told.feed[feeds[1].id], told.feed[feeds[3].id]
      return told.report[feeds[1].id] and third and third.problem and first and first.name == feeds[1].name
    end)
    assert.matches("not permitted", told.feed[feeds[3].id].problem, 1, true)
  end)

  it("says that the service is dead, from the start or later, and that it is back", function()
    sim:control("POST", "/control/down?what=all")
    start("feeds = " .. listed())
    read(has_state "GET /api/v1/feeds")
    sim:control("POST", "/control/up?what=all")
    read(function(told) return told.report[feeds[1].id] and told.state and told.state.status == "degraded" end)
    sim:control("POST", "/control/down?what=all")
    read(has_state "no connection to the service is up")
  end)

  it("answers for the ids of feeds that were named, from the start on and over a reload", function()
    local latest = [[location = /latest { content_by_lua_block {
      local report = require("chainlink.openresty").get("prices"):latest(ngx.var.arg_id)
      ngx.print(report and report.feed_id or "none")
    } }
    location = /metrics]]
    sim:control("POST", "/control/down?what=all")
    server = nginx.start { file = "examples/nginx/nginx.conf", environment = sim.env,
      replace = { [given] = "feeds = " .. listed(), ["location = /metrics"] = latest } }
    local path = "/latest?id=" .. feeds[1].id
    assert.are.equal("none", (server:get(path)))
    sim:control("POST", "/control/up?what=all")
    await("a report", function() return server:get(path) == feeds[1].id end)
    assert.are.equal("none", (server:get("/latest?id=" .. feeds[3].id)))
    server:signal "HUP"
    for _ = 1, 50 do assert.are.equal(feeds[1].id, (server:get(path))) end
    assert.are.equal(500, (select(2, server:get("/latest?id=0x0003" .. ("ab"):rep(30)))))
  end)

  it("ends a page's request at a reload, and goes on where that was", function()
    start("feeds = " .. listed())
    local client = server:open("/events", "")
    local seen, last = {}, nil
    local function take_until(count)
      while #seen < count do
        local line, err = client:receive "*l"
        if not line then return err end
        last = line:match "^id: (.+)$" or last
        local report = line:match '^data: {"version"' and cjson.decode(line:sub(7))
        if report and report.feed_id == feeds[1].id then seen[#seen + 1] = report.observations_timestamp end
      end
    end
    take_until(3)
    server:signal "HUP"
    assert.is_truthy(take_until(math.huge)) -- its end
    client:close()
    client = server:open("/events", "Last-Event-ID: " .. last .. "\r\n")
    take_until(#seen + 3)
    client:close()
    for i = 2, #seen do assert.are.equal(seen[i - 1] + 1, seen[i]) end
  end)

  it("is what the demo runs, which ends with all that it started", function()
    assert.matches("<title>.*\nended with 143\nnobody answers\n$", serving.demo(service.folder, "nginx"))
  end)
end)
