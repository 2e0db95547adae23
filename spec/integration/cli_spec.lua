-- SPDX-License-Identifier: MIT
-- The command chainlink-streams, run as a user runs it, against the simulator.

local cjson = require "cjson"

local chainlink = require "chainlink"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local PAST = 1735689600 -- 2025-01-01T00:00:00Z

local unpack = rawget(_G, "unpack") or table.unpack -- luacheck: ignore 143

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

-- The command with an environment of its own: standard output, standard error and exit code.
local function run(environment, ...)
  local words = { "env -i PATH=" .. quote(os.getenv "PATH") }
  for _, name in ipairs { "LUA_PATH", "LUA_CPATH", "LD_PRELOAD", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS" } do
    local value = os.getenv(name)
    if value then words[#words + 1] = name .. "=" .. quote(value) end
  end
  for name, value in pairs(environment) do words[#words + 1] = name .. "=" .. quote(value) end
  words[#words + 1] = "timeout 60 chainlink-streams"
  for _, word in ipairs { ... } do words[#words + 1] = quote(word) end
  local folder, remove = project.folder()
  local command = ("%s >%s/out 2>%s/err </dev/null"):format(table.concat(words, " "), folder, folder)
  local _, code = project.run(command)
  local out, err = project.read(folder .. "/out"), project.read(folder .. "/err")
  remove()
  return out, err, code
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return lines
end

local function cells_of(line)
  local cells = {}
  for cell in (line .. ","):gmatch "([^,]*)," do cells[#cells + 1] = cell end
  return cells
end

-- CSV without quotes as rows by column name.
local function csv_rows(text)
  local lines, rows = lines_of(text), {}
  local names = cells_of(lines[1])
  for i = 2, #lines do
    local cells, row = cells_of(lines[i]), {}
    assert.are.equal(#names, #cells)
    for j, name in ipairs(names) do row[name] = cells[j] end
    rows[i - 1] = row
  end
  return rows
end

local function json_rows(text)
  local rows = {}
  for i, line in ipairs(lines_of(text)) do rows[i] = cjson.decode(line) end
  return rows
end

describe("chainlink-streams", function()
  local sim, client, eth, btc

  setup(function()
    sim = simulator.start { rate = 2, rate_limit = 0, feeds = 26 }
    client = sim:client { rate_limit = false }
    for _, feed in ipairs(assert(client:get_feeds())) do
      if feed.name == "ETH/USD" then eth = feed.id end
      if feed.name == "BTC/USD" then btc = feed.id end
    end
  end)

  teardown(function()
    client:close()
    sim:stop()
  end)

  -- Runs a command that must succeed.
  local function ok(...)
    local out, err, code = run(sim.env, ...)
    assert.are.equal(0, code, err)
    return out, err
  end

  it("streams for so many seconds at most, and what comes within them", function()
    local out = ok("stream", eth, "--seconds", "50", "--count", "1", "--quiet", "--format", "json")
    assert.are.equal(eth, json_rows(out)[1].feed_id)
    out = ok("stream", eth, "--seconds", "0.001", "--count", "1000000", "--quiet", "--format", "json")
    assert.is_true(#lines_of(out) < 1000000)
  end)

  it("streams a feed's reports by their time, or as they arrive", function()
    local service = simulator.start { feeds = 1, ms_feeds = 1, rate = 20 }
    finally(function() service:stop() end)
    local asking = service:client()
    local feed = assert(asking:get_feeds())[1].id
    asking:close()
    local function times_that_go_back(...)
      service:fault "on=ws,action=reorder,within=5,count=60"
      local out, err, code = run(service.env, "stream", feed, "--count", "60", "--format", "json", ...)
      assert.are.equal(0, code, err)
      local newest, count = 0, 0
      for _, row in ipairs(json_rows(out)) do
        local ms = row.observations_timestamp_ms
        if ms < newest then count = count + 1 end
        newest = math.max(newest, ms)
      end
      return count
    end
    assert.are.equal(0, times_that_go_back())
    assert.is_true(times_that_go_back("--order", "arrival") > 0)
    local _, err, code = run(service.env, "stream", eth, "--order", "up")
    assert.are.equal(2, code)
    assert.matches("%-%-order must be feed, arrival, not 'up'", err)
  end)

  it("logs when asked to, each line with its level", function()
    local _, err = ok("stream", eth, "--count", "1", "--quiet", "--verbose")
    assert.matches("^# %l+: %S", err)
    for _, line in ipairs(lines_of(err)) do assert.matches("^# %l+: ", line) end
    _, err = ok("stream", eth, "--count", "1", "--quiet")
    assert.are.equal("", err)
  end)

  it("lists the feeds", function()
    local rows = lines_of((ok "feeds"))
    assert.are.equal(27, #rows)
    assert.is_truthy(rows[1]:find "id +v +schema +name")
    assert.is_truthy(table.concat(rows, "\n"):find(eth .. "  3", 1, true))
    local objects = json_rows((ok("feeds", "--format", "json")))
    assert.are.equal(26, #objects)
    assert.are.equal(66, #objects[1].id)
    local csv = csv_rows((ok("feeds", "--format=csv")))
    assert.are.equal(26, #csv)
    for i, row in ipairs(csv) do
      assert.are.equal(objects[i].id, row.id)
      assert.are.equal(objects[i].name, row.name)
      assert.are.equal(objects[i].version, tonumber(row.version))
    end
  end)

  it("shows the latest report, by name or id, in each format", function()
    local text = ok("latest", "eth/usd")
    assert.is_truthy(text:find("feed_id +" .. eth))
    assert.is_truthy(text:find "benchmark_price +%d+%.%d+")
    for _, feed in ipairs { "ETH/USD", eth, (eth:upper():gsub("^0X", "0x")) } do
      local object = json_rows((ok("latest", feed, "--format", "json")))[1]
      assert.are.equal(eth, object.feed_id)
      assert.is_string(object.benchmark_price)
      assert.are.equal(object.benchmark_price, chainlink.decode(object.full_report):exact "benchmark_price")
    end
    assert.are.equal(2, #json_rows((ok("latest", "--format", "json", eth, btc))))
    local rows = csv_rows((ok("latest", eth, btc, "--format", "csv")))
    assert.are.equal(eth, rows[1].feed_id)
    assert.are.equal(btc, rows[2].feed_id)
    assert.are.equal(3, #lines_of((ok("latest", eth, btc)))) -- a heading and two rows
  end)

  it("shows the report at a time, however it is written", function()
    local expected = assert(client:get_report(eth, PAST))
    for _, time in ipairs { tostring(PAST), "2025-01-01T00:00:00Z" } do
      local object = json_rows((ok("at", time, eth, "--format", "json")))[1]
      assert.are.equal(expected.full_report, object.full_report)
      local row = csv_rows((ok("at", time, eth, "--format", "csv")))[1]
      assert.are.equal(tostring(PAST), row.observations_timestamp)
      assert.are.equal(expected:exact "benchmark_price", row.benchmark_price)
      assert.are.equal(expected:exact "ask", row.ask)
    end
    assert.are.equal(2, #json_rows((ok("at", "now-60", eth, btc, "--format", "json"))))
  end)

  it("tells which feeds have no report at a time", function()
    local future = tostring(os.time() + 3600)
    local out, err, code = run(sim.env, "at", future, eth, btc, "--format", "json")
    assert.are.equal("", out)
    assert.are.equal(1, code)
    assert.is_truthy(err:find(eth .. " has no report at " .. future, 1, true))
    out, err, code = run(sim.env, "at", future, eth)
    assert.are.equal("", out)
    assert.are.equal(1, code)
    assert.is_truthy(err:find("404", 1, true))
  end)

  it("shows history", function()
    local expected = {}
    for report in client:reports(eth, PAST, PAST + 30) do expected[#expected + 1] = report.full_report end
    local from, to = tostring(PAST), tostring(PAST + 30)
    local got = {}
    for i, object in ipairs(json_rows((ok("history", eth, "--from", from, "--to", to, "--format", "json")))) do
      got[i] = object.full_report
    end
    assert.are.equal(62, #expected)
    assert.are.equal(2, #json_rows((ok("history", eth, "--from", from, "--to", from, "--format", "json"))))
    assert.are.same(expected, got)
    assert.are.equal(7, #csv_rows((ok("history", eth, "--from", from, "--count", "7", "--format", "csv"))))
    assert.are.equal(4, #lines_of((ok("history", "ETH/USD", "--from", "now-20", "--count", "3"))))
    local _, err = ok("history", eth, "--from", "1000", "--to", "2000")
    assert.is_truthy(err:find("no report in that time", 1, true))
  end)

  it("streams", function()
    local out, err = ok("stream", eth, "BTC/USD", "--count", "5", "--format", "json")
    local objects = json_rows(out)
    assert.are.equal(5, #objects)
    for _, object in ipairs(objects) do
      assert.is_truthy(object.feed_id == eth or object.feed_id == btc)
      assert.is_string(object.benchmark_price)
    end
    assert.is_truthy(err:find("# connected localhost:" .. sim:port(), 1, true))
    assert.is_truthy(err:find "# %d+ reports, 0 duplicates")
    assert.are.equal(3, #csv_rows((ok("stream", eth, "--count", "3", "--format", "csv"))))
    out, err = ok("stream", eth, "--count", "2", "--quiet")
    assert.are.equal(3, #lines_of(out))
    assert.are.equal("", err)
    ok("stream", eth, "--seconds", "0.2", "--quiet")
  end)

  it("decodes without an account", function()
    local report = assert(client:get_report(eth, PAST))
    local out, err, code = run({}, "decode", report.full_report, "--format", "json")
    assert.are.equal("", err)
    assert.are.equal(0, code)
    assert.are.equal(report:exact "bid", json_rows(out)[1].bid)
    assert.is_truthy(run({}, "decode", report.full_report):find("bid +" .. report:exact "bid" .. "\n"))
    assert.are.equal(report:exact "bid", csv_rows((run({}, "decode", report.full_report, "--format", "csv")))[1].bid)
    out, err, code = run({}, "decode", "0x1234")
    assert.are.equal("", out)
    assert.are.equal(1, code)
    assert.is_truthy(err:find("DecodeError", 1, true))
  end)

  it("goes on without names where it was given ids, unless the list of feeds fails for a while", function()
    local function latest(status, feed, ...)
      local fault = ("on=rest,path=/api/v1/feeds,action=status,status=%d,times=0"):format(status)
      local other = simulator.start { fault = fault }
      local out, err, code = run(other.env, "latest", feed, ...)
      other:stop()
      return out, err, code
    end
    local out, err, code = latest(404, eth, "--format", "json")
    assert.are.equal(0, code, err)
    assert.is_nil(json_rows(out)[1].name)
    out, err, code = latest(503, eth)
    assert.are.equal(0, code, err)
    assert.is_nil(out:find "\nname ")
    out, err, code = latest(503, eth, "--format", "csv")
    assert.are.equal("", out)
    assert.are.equal(1, code, err)
    assert.is_truthy(err:find("/api/v1/feeds answered 503", 1, true), err)
  end)

  it("writes the feed's name, the price and both times", function()
    for _, feed in ipairs { eth, "eth/usd" } do
      local object = json_rows((ok("latest", feed, "--format", "json")))[1]
      local row = csv_rows((ok("latest", feed, "--format", "csv")))[1]
      assert.are.equal("ETH/USD", object.name)
      assert.are.equal("ETH/USD", row.name)
      assert.are.equal(object.benchmark_price, object.price)
      assert.are.equal(row.benchmark_price, row.price)
      for _, name in ipairs { "observations_timestamp", "valid_from_timestamp" } do
        assert.is_number(object[name])
        assert.is_truthy(row[name]:find "^%d+$")
      end
    end
    assert.is_truthy(ok("history", "eth/usd", "--from", "now-5"):find("  ETH/USD  ", 1, true))
    assert.is_truthy(ok("history", eth, "--from", "now-5"):find("  " .. eth:sub(1, 8) .. "..", 1, true))
  end)

  it("logs when asked to, without secrets", function()
    local _, err = ok("latest", eth, "--verbose")
    assert.is_truthy(err:find("# debug: GET /api/v1/reports/latest", 1, true))
    assert.is_nil(err:find(sim.api_secret, 1, true))
    assert.is_nil(err:find(sim.api_key, 1, true))
  end)

  it("writes nothing for a terminal into a file", function()
    assert.is_nil((ok "feeds"):find "\27")
    assert.is_nil((ok("stream", eth, "--count", "2")):find "\27")
  end)

  it("ends well when its reader goes", function()
    local command = ("CHAINLINK_STREAMS_API_KEY=%s CHAINLINK_STREAMS_API_SECRET=%s CHAINLINK_STREAMS_REST_URL=%s "
      .. "CHAINLINK_STREAMS_CA_FILE=%s timeout 60 chainlink-streams history %s --from %d --to %d | head -n 1"):format(
      sim.api_key, sim.api_secret, sim.rest_url, sim.ca_file, eth, PAST, PAST + 2000)
    local out = project.run(command)
    assert.are.equal(1, #lines_of(out), out)
  end)

  local function environment(more)
    local all = {}
    for name, value in pairs(sim.env) do all[name] = value end
    for name, value in pairs(more) do all[name] = value or nil end
    return all
  end

  -- Runs a command that must fail: exit code, a text in its message, and no Lua traceback.
  local function fails(code, text, env, ...)
    local out, err, got = run(env, ...)
    assert.are.equal(code, got, err)
    assert.is_truthy(err:find(text, 1, true), err)
    assert.is_nil(err:find("traceback", 1, true))
    assert.is_nil(err:find("%.lua:%d"), err)
    assert.are.equal("chainlink-streams", err:match "^[%w-]+")
    return out, err
  end

  it("says what to do without credentials", function()
    local none = environment { CHAINLINK_STREAMS_API_KEY = false, CHAINLINK_STREAMS_API_SECRET = false }
    for _, command in ipairs { { "feeds" }, { "latest", eth }, { "stream", eth }, { "history", eth } } do
      local _, err = fails(3, "there are no credentials", none, unpack(command))
      assert.is_truthy(err:find("CHAINLINK_STREAMS_API_KEY", 1, true))
      assert.is_truthy(err:find("chainlink-streams simulate", 1, true))
    end
  end)

  it("tells that credentials are refused", function()
    local wrong = environment { CHAINLINK_STREAMS_API_SECRET = "not-the-secret" }
    local _, err = fails(3, "AuthenticationError", wrong, "latest", eth)
    assert.is_nil(err:find("not-the-secret", 1, true))
    fails(3, "AuthenticationError", wrong, "stream", eth, "--count", "1", "--quiet")
  end)

  it("tells how far the clock is off", function()
    local early = simulator.start { clock_offset = -3600, feeds = 1 }
    finally(function() early:stop() end)
    fails(3, "This computer's clock is", early.env, "feeds")
  end)

  it("tells what failed", function()
    fails(1, "NetworkError", environment { CHAINLINK_STREAMS_REST_URL = "https://127.0.0.1:1" }, "feeds")
    fails(1, "certificate", environment { CHAINLINK_STREAMS_CA_FILE = false }, "feeds")
  end)

  it("explains wrong usage", function()
    local cases = {
      { "there is no command 'frobnicate'", "frobnicate" },
      { "there is no option --frobnicate", "feeds", "--frobnicate" },
      { "there is no option -x", "latest", "-x" },
      { "--format must be table, json, csv, not 'xml'", "feeds", "--format", "xml" },
      { "--format needs a value", "feeds", "--format" },
      { "--count must be a whole number above 0, not '1.5'", "stream", eth, "--count", "1.5" },
      { "--count must be a whole number above 0, not '-1'", "stream", eth, "--count", "-1" },
      { "--verbose takes no value", "feeds", "--verbose=yes" },
      { "feeds takes no argument, got 'x'", "feeds", "x" },
      { "a feed is missing", "latest" },
      { "at needs a time and a feed", "at", "now" },
      { "'yesterday' is no time", "at", "yesterday", eth },
      { "a feed is missing", "history" },
      { "the template has '%x'", "latest", eth, "-f", "%x" },
      { "--from is later than --to", "history", eth, "--from", "now", "--to", "now-60" },
      { "no feed is named 'NOPE/USD'", "latest", "NOPE/USD" },
      { "feed_id", "latest", "0x12" },
      { "a full report is missing", "decode" },
      { "'frobnicate' is not an option", "simulate", "frobnicate" },
      { "--rate must be a whole number from 1 to 1000, not '0'", "simulate", "--rate", "0" },
      { "there is no action sleep", "simulate", "--fault", "on=rest,action=sleep" },
    }
    for _, case in ipairs(cases) do
      local code = case[2] == "simulate" and case[4] and case[4]:find "action" and 1 or 2
      fails(code, case[1], sim.env, unpack(case, 2))
    end
  end)

  it("has help for every command", function()
    local general = run({}, "--help")
    for name in ("feeds latest at history stream decode simulate version"):gmatch "%a+" do
      assert.is_truthy(general:find("\n  " .. name, 1, true), name)
      for _, flag in ipairs { "--help", "-h" } do
        local out, err, code = run({}, name, flag)
        assert.are.equal(0, code, err)
        assert.are.equal("", err)
        assert.is_truthy(out:find("usage: chainlink-streams " .. name, 1, true), out)
      end
    end
    local out, _, code = run({})
    assert.are.equal(2, code)
    assert.are.equal(general, out)
  end)

  it("tells its version", function()
    for _, word in ipairs { "version", "--version" } do
      local out, _, code = run({}, word)
      assert.are.equal("chainlink-streams " .. chainlink._VERSION .. "\n", out)
      assert.are.equal(0, code)
    end
  end)

  it("writes the simulator's environment to a file that a shell can read", function()
    local folder, remove = project.folder()
    local other = simulator.start { feeds = 1, env_file = folder .. "/env", key = "k:s$x'y" }
    finally(function()
      other:stop()
      remove()
    end)
    local out, code = project.run((". %s/env && chainlink-streams feeds --format json"):format(folder))
    assert.are.equal(0, code, out)
    assert.are.equal(1, #json_rows(out))
  end)
end)
