-- SPDX-License-Identifier: MIT
-- Each symptom of docs/troubleshooting.md is provoked, and what the library says then stands below its heading.
local advice = require "chainlink.cli.advice"
local await = require "spec.support.await"
local chainlink = require "chainlink"
local documents = require "spec.support.documents"
local faults = require "spec.support.faults"
local project = require "spec.support.project"
local recorder = require "spec.support.recorder"
local simulator = require "spec.support.simulator"

local PAGE = "docs/troubleshooting.md"

-- The messages below a heading, as patterns: … is any text.
local function quoted_below(heading)
  local patterns = {}
  for block in ("\n" .. documents.section(PAGE, heading)):gmatch "\n```text\n(.-)```" do
    for line in block:gmatch "[^\n]+" do
      patterns[line] = "^" .. line:gsub("%p", "%%%0"):gsub("…", ".-") .. "$"
    end
  end
  return patterns
end

local met = {} -- by heading and line

-- The message is one of those below the heading.
local function stands_below(heading, message)
  local found
  message = message:match "^[^\n]*"
  for line, pattern in pairs(quoted_below(heading)) do
    if message:find(pattern) then
      met[heading .. ": " .. line] = true
      found = true
    end
  end
  if not found then error(("%q is not below %q"):format(message, heading), 2) end
end

-- So it is, and the command leads there.
local function leads_to(heading, err)
  stands_below(heading, err.message)
  assert.equal(heading, advice.heading(err))
end

describe("docs/troubleshooting.md", function()
  local open = {}
  local function start(options)
    local sim = simulator.start(options)
    open[#open + 1] = function() sim:stop() end
    return sim
  end

  local function of(sim, options)
    local all = { max_retries = 0, rate_limit = false, max_reconnects = 0 }
    for name, value in pairs(options or {}) do all[name] = value end
    local client = sim:client(all)
    open[#open + 1] = function() client:close() end
    return client
  end

  after_each(function()
    for i = #open, 1, -1 do open[i]() end
    open = {}
  end)

  local FEED = "0x0003" .. ("1"):rep(60)

  -- What a stream's only attempt fails by.
  local function stream_error(client, options)
    local stream = client:stream({ FEED }, options)
    local report, err = stream:read(faults.patience)
    assert.is_nil(report)
    stream:close()
    return err
  end

  it("401", function()
    local heading = "401 Unauthorized, 403 Forbidden"
    local sim = start { feed = FEED }
    local client = of(sim, { api_secret = "not-the-secret" })
    local _, err = client:get_feeds()
    leads_to(heading, err)
    leads_to(heading, stream_error(client))
    _, err = of(sim):get_latest_report("0x0003" .. ("2"):rep(60)) -- a feed that there is not
    assert.equal("AuthenticationError", err.kind)
    leads_to(heading, err)
  end)

  it("the clock", function()
    local heading = "The clock is wrong"
    for _, offset in ipairs { -60, 60 } do
      local client = of(start { feed = FEED, clock_offset = offset })
      local _, err = client:get_feeds()
      leads_to(heading, err)
      assert.is_true(math.abs(err.clock_skew + offset) < 5)
      if offset < 0 then leads_to(heading, stream_error(client)) end
    end
  end)

  it("206", function()
    local record = recorder.new()
    local client = of(start { feeds = 2, irregular = 1 }, { on_response = record:options().on_response })
    local ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    local second = 1767225600
    local reports, missing
    repeat
      second = second + 1
      reports, missing = client:get_reports(ids, second)
    until not reports or #missing > 0
    assert.same({ 1, ids[2] }, { #reports, missing[1] })
    assert.equal(206, record.responses[#record.responses].status)
    documents.section(PAGE, "206 Partial Content")
  end)

  it("404", function()
    local client = of(start { feed = FEED, outage = "1767225600:1767225700" })
    local _, err = client:get_report(FEED, 1767225650)
    leads_to("404: no report at that time", err)
    assert.equal(404, err.status)
    local page = assert(client:get_report_page(FEED, 1767225650, 1))
    assert.equal(1767225701, page.reports[1].observations_timestamp)
  end)

  it("429", function()
    local heading = "429 Too Many Requests"
    local sim = start { feed = FEED }
    sim:fault("on=rest,action=status,status=429", "on=ws,action=status,status=429,times=0")
    local client = of(sim)
    local _, err = client:get_feeds()
    leads_to(heading, err)
    local stream = client:stream({ FEED }, { max_reconnects = 1, reconnect_delay = 0.01 })
    _, err = stream:read(faults.patience)
    leads_to(heading, err)
  end)

  describe("gaps:", function()
    local heading = "Gaps: reports are missing"
    local service
    before_each(function() service = faults.service { feeds = 1, rate = 20 } end)
    after_each(function() service:stop() end)

    -- The reason of the first range that is told as lost, after that fault.
    local function reason_of(fault, options)
      local stream, record = service:stream(options)
      local reports = faults.read(stream, 5)
      service.sim:fault(fault)
      service.sim:fault "on=live,action=skip,seconds=2"
      faults.read_until(stream, function() return record:status "lost" end, reports)
      assert.is_true(stream:stats().lost > 0)
      stream:close()
      return record:status("lost").reason
    end

    it("refused", function()
      stands_below(heading, reason_of "on=rest,path=/api/v1/reports/page,action=status,status=403,times=0")
    end)

    it("not asked for", function()
      stands_below(heading, reason_of("on=rest,path=/none,action=reset", { backfill = false }))
    end)

    it("filled, and nothing lost", function()
      local stream = service:stream()
      local reports = faults.read(stream, 5)
      service.sim:fault "on=live,action=skip,seconds=2"
      faults.read_until(stream, function(list) return list[#list].backfilled end, reports)
      local stats = stream:stats()
      assert.same({ 0, 0 }, { stats.lost, stats.dropped })
      stream:close()
    end)
  end)

  it("duplicates", function()
    local service = faults.service { feeds = 1, rate = 20 }
    local stream = service:stream()
    local reports = faults.read(stream, 5)
    service.sim:fault "on=live,action=duplicate,count=5"
    faults.read_until(stream, function() return stream:stats().deduplicated >= 5 end, reports)
    local seen = {}
    for _, report in ipairs(reports) do
      assert.is_nil(seen[report:digest()])
      seen[report:digest()] = true
    end
    service:stop()
    documents.section(PAGE, "Duplicates: the same report twice")
  end)

  it("slow", function()
    local service = faults.service { feeds = 1 }
    local stream, record = service:stream { queue_size = 8, pong_timeout = 1 }
    local ended = await("the connection to be given up", function()
      stream:stats()
      return record:status "disconnected"
    end)
    stands_below("Slow: the script reads too slowly", ended.reason)
    service:stop()
  end)

  it("silence", function()
    local heading = "No reports come"
    local service = faults.service { feeds = 1 }
    local stream, record = service:stream { stale_timeout = 1 }
    local reports = faults.read(stream, 3)
    service.sim:fault "on=live,action=quiet"
    faults.read_until(stream, function() return record:status "disconnected" end, reports)
    stands_below(heading, record:status("disconnected").reason)
    service.sim:signal "STOP"
    local err
    repeat err = select(2, stream:read(0.01)) until err
    leads_to(heading, err)
    service:stop()
    local client = of(start { feed = FEED, certificate = "expired" }, { max_reconnects = math.huge })
    local waiting = client:stream({ FEED }, { reconnect_delay = 0.01 })
    local connected
    repeat connected, err = waiting:connect(0.2) until err.message:find("last failure", 1, true)
    assert.is_nil(connected)
    leads_to(heading, err)
  end)

  it("refused, not found, timeout", function()
    local heading = "Connection refused, name not found, timeout"
    local sim = start { feed = FEED }
    sim:fault "on=rest,action=silence"
    local _, err = of(sim, { timeout = 1 }):get_feeds()
    leads_to(heading, err)
    sim:fault("on=accept,action=silence", "on=accept,action=silence")
    _, err = of(sim, { connect_timeout = 1 }):get_feeds()
    leads_to(heading, err)
    local client = of(sim, { rest_url = "https://localhost:1", ws_url = "wss://localhost:1" })
    leads_to(heading, select(2, client:get_feeds()))
    leads_to(heading, stream_error(client))
    local nowhere = ("a"):rep(64) .. ".invalid" -- a label that no resolver will ask for
    leads_to(heading, stream_error(of(sim, { ws_url = "wss://" .. nowhere })))
  end)

  it("the circuit breaker", function()
    local client = of({ client = function(_, options)
      options.api_key, options.api_secret = "key", "secret"
      options.rest_url, options.ws_url = "https://127.0.0.1:1", "wss://127.0.0.1:1"
      return chainlink.client(options)
    end })
    local err
    repeat err = select(2, client:get_feeds()) until err.kind == "CircuitOpenError"
    leads_to("Circuit breaker is open", err)
  end)

  it("handshakes", function()
    local heading = "Handshake refused"
    local sim = start { feed = FEED }
    for _, fault in ipairs { "on=ws,action=status,status=400", "on=ws,action=upgrade,kind=none",
      "on=ws,action=redirect" } do
      sim:fault(fault)
      leads_to(heading, stream_error(of(sim)))
    end
    sim:fault "on=ws,path=/api/v2,action=status,status=404,times=0"
    leads_to(heading, stream_error(of(sim), { protocol = "v2" }))
  end)

  it("certificates", function()
    local heading = "Certificate"
    for _, certificate in ipairs { "expired", "not_yet_valid", "self_signed", "wrong_host" } do
      local client = of(start { feed = FEED, certificate = certificate })
      leads_to(heading, select(2, client:get_feeds()))
      leads_to(heading, stream_error(client))
    end
    local stranger = of(start { feed = FEED }, { tls = {} })
    leads_to(heading, select(2, stranger:get_feeds()))
  end)

  it("modules", function()
    local folder, remove = project.folder()
    project.write(folder .. "/script.lua", 'print((select(2, pcall(require, "chainlink")):gsub("\\n.*", "")))')
    local nowhere = folder .. "/?.lua"
    for _, paths in ipairs { { nowhere, nowhere }, { (os.getenv "LUA_PATH"), nowhere } } do
      local output = project.run(("LUA_PATH='%s' LUA_CPATH='%s' %s %s/script.lua"):format(paths[1], paths[2],
        project.lua, folder))
      stands_below("Module not found", output:match "(module 'chainlink[^\n]*)")
    end
    remove()
  end)

  it("nginx", function()
    local heading = "LuaJIT and nginx"
    local _, err = pcall(chainlink.client, { api_key = "key", api_secret = "secret", loop = "openresty" })
    stands_below(heading, err.message)
    _, err = pcall(require, "chainlink.openresty")
    stands_below(heading, err.message)
  end)

  it("is where the command leads", function()
    local sim = start { feed = FEED, clock_offset = 60 }
    local output, status = project.run(sim:exports() .. " timeout 60 chainlink-streams feeds")
    assert.equal(3, status)
    local anchor = output:match "\nSee docs/troubleshooting%.md#(%S+)\n$"
    assert.equal("the-clock-is-wrong", anchor, output)
    output, status = project.run(sim:exports() .. " timeout 60 chainlink-streams feeds --rest-url https://localhost:1")
    assert.equal(1, status)
    assert.matches("\nSee docs/troubleshooting%.md#connection%-refused%-name%-not%-found%-timeout\n$", output)
  end)

  it("has no message that is not provoked", function()
    local unmet = {}
    for heading in project.read(PAGE):gmatch "\n## ([^\n]+)" do
      for line in pairs(quoted_below(heading)) do
        if not met[heading .. ": " .. line] then unmet[#unmet + 1] = line end
      end
    end
    table.sort(unmet) -- what takes five minutes or an hour is in spec/c/test_feed.c and test_sequence.c
    assert.same({ "REST failed for too long", "the gap was too long" }, unmet)
  end)
end)
