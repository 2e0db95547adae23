-- SPDX-License-Identifier: MIT
-- chainlink.openresty in a real nginx.
local await = require "spec.support.await"
local host = require "spec.support.host"
local nginx = require "spec.support.nginx"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"
local socket = require "socket"

if not (rawget(_G, "jit") and (nginx.is_there() or host.is_wanted "nginx")) then
  pending("nginx, or its Lua module, which runs LuaJIT, is not there", function() end)
  return
end

local WORKERS = 3

local paths = [[
  location /pid { content_by_lua_block { ngx.print(ngx.worker.pid()) } }
  location /latest {
    set_by_lua_block $price {
      local report = require "chainlink.openresty".get "prices":latest(ngx.var.arg_id)
      return report and report.feed_id or "none"
    }
    return 200 $price;
  }
  location /wait { content_by_lua_block {
    local feed = require "chainlink.openresty".get "prices"
    local before = feed:latest(ngx.var.arg_id)
    local report, err = feed:wait(ngx.var.arg_id, tonumber(ngx.var.arg_seconds))
    if not report then return ngx.print(tostring(err)) end
    assert(not before or report ~= before and report.observations_timestamp >= before.observations_timestamp)
    ngx.print(report.feed_id, " ", ngx.worker.pid())
  } }
  location /events { content_by_lua_block {
    require "chainlink.openresty".get "prices":sse(ngx.var.arg_id and { ngx.var.arg_id })
  } }
  location /metrics { content_by_lua_block { require "chainlink.openresty".get "prices":answer_metrics() } }
  location /healthz { content_by_lua_block { require "chainlink.openresty".get "prices":answer_health() } }
  location /untold { content_by_lua_block {
    ngx.shared.prices:delete "chainlink:healthz"
    require "chainlink.openresty".get "prices":answer_health()
  } }
  location /foreign { content_by_lua_block {
    ngx.print(tostring(select(2, pcall(function()
      return require "chainlink.openresty".get "prices":latest("0x0003" .. ("ab"):rep(30))
    end))))
  } }]]

describe("a feed in nginx", function()
  local sim, ids, server
  local function start_simulator() sim = simulator.start { feeds = 2, rate = 5, rate_limit = 0 } end
  setup(function()
    start_simulator()
    local client = sim:client()
    ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    client:close()
  end)
  teardown(function() sim:stop() end)
  after_each(function()
    if server then server:stop() end
    server = nil
  end)

  local function options(more)
    return ([[require "chainlink.openresty".new { dict = "prices", history = 64, feed_ids = { %q, %q }, %s }]]):format(
      ids[1], ids[2], more or "")
  end

  local function configuration(more)
    local all = { environment = sim.env, workers = WORKERS, server = paths,
      http = "lua_shared_dict prices 2m; init_worker_by_lua_block { " .. options() .. " }" }
    for name, value in pairs(more or {}) do all[name] = value end
    return all
  end

  local function start(more)
    server = nginx.start(configuration(more))
    return server
  end

  local function streams() return sim:stats().websockets.open end

  local function await_report()
    await("a report", function() return server:get("/latest?id=" .. ids[1]) == ids[1] end)
  end

  it("has the latest report in any phase of each worker, and one stream", function()
    start()
    await_report()
    for _ = 1, 20 do assert.are.equal(ids[1], (server:get("/latest?id=" .. ids[1]))) end
    assert.are.equal(1, streams())
    assert.matches("is not among those of prices", (server:get "/foreign"), 1, true)
  end)

  -- Every worker answers a request that waits for the next report; there are many at once, so that all have some.
  local function assert_all_wake()
    local seen, count = {}, 0
    await("an answer of each worker", function()
      local clients = {}
      for i = 1, 4 * WORKERS do clients[i] = server:open("/wait?seconds=60&id=" .. ids[2]) end
      for _, client in ipairs(clients) do
        local id, pid = assert(client:receive "*a"):match "\r\n\r\n(%S+) (%d+)$"
        client:close()
        assert.are.equal(ids[2], id)
        if not seen[pid] then count = count + 1 end
        seen[pid] = true
      end
      return count == WORKERS
    end)
  end

  it("wakes those that wait in every worker", function()
    start()
    assert_all_wake()
    await("a wait that is over before the next report", function()
      return server:get("/wait?seconds=0.01&id=" .. ids[1]):find "^TimeoutError: no report within 0.01 seconds"
    end)
  end)

  it("tells its metrics and its state in every worker", function()
    start()
    local function state_becomes(status, words)
      await(words, function()
        local body, found = server:get "/healthz"
        return found == status and body:find(words, 1, true)
      end)
    end
    state_becomes(200, '{"status":"up","reasons":[]}')
    await("a report of each feed, and the metrics after that", function()
      local body = server:get "/metrics"
      return body:find "connections_active 1\n" and body:find('{feed_id="' .. ids[1] .. '"}', 1, true)
        and body:find('{feed_id="' .. ids[2] .. '"}', 1, true)
    end)
    for _ = 1, 20 do
      local body, status = server:get "/metrics"
      assert.are.equal(200, status)
      assert.matches("\nchainlink_stream_connections_active 1\n.*[^\n]\n# EOF\n$", body)
      assert.are.equal(1, select(2, body:gsub("# EOF", "")))
      for _, id in ipairs(ids) do
        local age = tonumber(body:match('\nchainlink_stream_feed_age_seconds{feed_id="' .. id .. '"} (%S+)\n'))
        assert.is_true(age > -1 and age < 60)
      end
    end
    sim:control("POST", "/control/down?what=all")
    state_becomes(503, "no connection to the service is up")
    sim:control("POST", "/control/up?what=all")
    state_becomes(200, '{"status":"up","reasons":[]}')
    local body, status = server:get "/untold"
    assert.are.equal(503, status)
    assert.matches("no worker of this nginx has told of the stream lately", body)
  end)

  it("may be each worker's own", function()
    start { http = "lua_shared_dict prices 10m; init_worker_by_lua_block { " .. options 'owner = "each"' .. " }" }
    await("a stream of each worker", function() return streams() == WORKERS end)
    assert_all_wake()
  end)

  it("is taken over when its worker is killed", function()
    start()
    await_report()
    for _ = 1, 3 do
      local killed = server:leader()
      server:signal("KILL", killed)
      await("another worker", function() return server:leader() ~= killed and #server:workers() == WORKERS end)
      assert.matches("^" .. ids[1], (server:get("/wait?seconds=60&id=" .. ids[1])))
      await("one stream", function() return streams() == 1 end)
    end
  end)

  local function descriptors(pid)
    return tonumber((project.run(("ls /proc/%d/fd | wc -l"):format(pid))))
  end

  local function reload()
    local old = {}
    for _, pid in ipairs(server:workers()) do old[pid] = true end
    server:signal "HUP"
    await("new workers only", function()
      local workers = server:workers()
      for _, pid in ipairs(workers) do
        if old[pid] then return false end
      end
      return #workers == WORKERS
    end)
  end

  it("survives reloads under load, and leaves no worker and no descriptor behind", function()
    start()
    await_report()
    local load = assert(io.popen(("cd %s; touch loaded; while [ -e loaded ]; do curl -sS --max-time 60 " ..
      "'http://127.0.0.1:%d/latest?id=%s' && echo; done 2>&1 | sort | uniq -c"):format(server.folder, server.port,
      ids[1]), "r"))
    local before
    for i = 1, 20 do
      reload()
      if i % 5 == 0 then assert.matches("^" .. ids[1], (server:get("/wait?seconds=60&id=" .. ids[1]))) end
      before = before or descriptors(server:pid())
    end
    os.remove(server.folder .. "/loaded")
    local answers = load:read "*a"
    load:close()
    assert.matches("^%s*%d+ " .. ids[1] .. "\n$", answers)
    await("the master's descriptors to be closed", function() return descriptors(server:pid()) <= before end)
    await("one stream", function() return streams() == 1 end)
  end)

  -- Reads from all these open requests until has_enough(text, i) of each: their texts.
  local function read_events(clients, has_enough)
    local texts, left, deadline = {}, #clients, socket.gettime() + 60
    for i, client in ipairs(clients) do
      texts[i] = ""
      client:settimeout(0)
    end
    local done = {}
    while left > 0 do
      assert(socket.gettime() < deadline, "the events do not come")
      socket.select(clients, nil, 1)
      for i, client in ipairs(clients) do
        local _, err, part = client:receive "*a"
        texts[i] = texts[i] .. (part or "")
        assert(err == "timeout", err)
        if not done[i] and has_enough(texts[i], i) then done[i], left = true, left - 1 end
      end
    end
    for _, client in ipairs(clients) do client:close() end
    return texts
  end

  local function count_events(text)
    return select(2, text:gsub("\nevent: report\n", ""))
  end

  -- The numbers of the events, the last one's whole id.
  local function numbers(text)
    local list, last = {}, nil
    for id in text:gmatch "\nid: (%S+)\n" do
      list[#list + 1], last = tonumber(id:match "^%x+%-(%d+)"), id
    end
    return list, last
  end

  -- The events of a browser that had this one, nil: none, until there are so many reports.
  local function come_back(id, count)
    return read_events({ server:open("/events", id and "Last-Event-ID: " .. id .. "\r\n" or "") },
      function(text) return count_events(text) >= count end)[1]
  end

  local function assert_in_a_row(list)
    for i = 2, #list do assert.are.equal(list[i - 1] + 1, list[i]) end
  end

  it("sends its reports to a hundred browsers at once, each once", function()
    start()
    await_report()
    local clients = {}
    for i = 1, 100 do clients[i] = server:open("/events", "") end
    local texts = read_events(clients, function(text) return count_events(text) >= 8 end)
    for _, text in ipairs(texts) do
      assert.matches("Content-Type: text/event-stream", text, 1, true)
      local list = numbers(text)
      assert.is_true(#list >= 7)
      assert_in_a_row(list)
    end
    local one = { server:open("/events?id=" .. ids[2], "") }
    local only = read_events(one, function(text) return count_events(text) >= 3 end)
    assert.is_nil(only[1]:find(ids[1], 1, true))
  end)

  it("goes on for a browser that comes back, over a reload too", function()
    start()
    await_report()
    local list, last = numbers(come_back(nil, 4))
    reload()
    await("more reports", function() return server:get("/wait?seconds=60&id=" .. ids[1]):find("^" .. ids[1]) end)
    local rest = numbers(come_back(last, 4))
    assert.are.equal(list[#list] + 1, rest[1])
    assert_in_a_row(rest)
    local other = come_back("0-1", 2)
    assert.is_true(numbers(other)[1] >= rest[#rest])
    assert.matches("\nevent: lost\ndata: [^\n]*reports may be missing", other)
  end)

  it("tells a browser of another nginx that it has missed some, where that is so", function()
    start()
    await_report()
    local first = come_back(nil, 4)
    local _, last = numbers(first)
    server:stop()
    local client, second = sim:client(), tonumber(first:match '.*"observations_timestamp":(%d+)')
    await("what is missed", function()
      return client:get_latest_report(ids[1]).observations_timestamp > second + 1
    end)
    client:close()
    start()
    local text = come_back(last, 4)
    assert.matches("\nevent: lost\ndata: [^\n]*away for longer", text)
    assert.are.equal(1, select(2, text:gsub("event: lost", "")))
  end)

  it("moves to a new binary", function()
    start()
    await_report()
    local old = server:pid()
    server:signal("USR2", old)
    await("a new master", function()
      local new = server:pid()
      return new and new ~= old and server:pid ".oldbin" == old
    end)
    server:signal("QUIT", old)
    await("the old one's end", function() return not server:pid ".oldbin" end)
    assert.matches("^" .. ids[1], (server:get("/wait?seconds=60&id=" .. ids[1])))
    await("one stream", function() return streams() == 1 end)
  end)

  it("ends promptly, whoever waits", function()
    start()
    await_report()
    sim:control("POST", "/control/pause?seconds=3600")
    local waiting = server:open("/wait?id=" .. ids[1])
    server:stop "QUIT"
    local answer = assert(waiting:receive "*a")
    assert.is_truthy(answer:find("this worker of nginx is about to end", 1, true) or answer:find(ids[1], 1, true))
    waiting:close()
    await("no stream", function() return streams() == 0 end)
    sim:stop()
    start_simulator() -- one that makes reports
  end)

  -- A directive's block around the making of a feed, and what its error says.
  local refusals = {
    { "init_by_lua", nil, [[a feed is made in init_worker_by_lua, not in phase "init": what runs in the master]] },
    { "init_worker_by_lua", 'dict = "none"', "option 'dict' must be the name of a lua_shared_dict" },
    { "init_worker_by_lua", "history = 1000", "prices is too small: it has 2048 KiB, and 1002 reports want 8080 KiB" },
    { "init_worker_by_lua", 'owner = "all"', [[option 'owner' must be "one" or "each"]] },
    { "init_worker_by_lua", "histroy = 3", [[there is no option "histroy"]] },
    { "init_worker_by_lua", "client = { timeout = -1 }", "option 'timeout' must be" },
  }
  for _, refusal in ipairs(refusals) do
    it(("is refused with %s in %s"):format(refusal[2] or "all", refusal[1]), function()
      local block = ("%s_block { told = select(2, pcall(function() %s end)) }"):format(refusal[1], options(refusal[2]))
      start { http = "lua_shared_dict prices 2m; " .. block, workers = 1,
        server = "location / { content_by_lua_block { ngx.print(tostring(told)) } }" }
      assert.matches(refusal[3], (server:get "/"), 1, true)
    end)
  end

  it("is refused where each request has a Lua state of its own", function()
    start { http = configuration().http .. " lua_code_cache off;", workers = 1, server = [[
      location / { content_by_lua_block {
        ngx.print(tostring(select(2, pcall(require "chainlink.openresty".get, "prices"))))
      } }]] }
    await("the refusal", function() return server:get "/":find("lua_code_cache is off", 1, true) end)
  end)
end)
