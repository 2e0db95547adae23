-- SPDX-License-Identifier: MIT
-- The programs in examples/ run, as a reader would start them, against the simulator.
local await = require "spec.support.await"
local cjson = require "cjson"
local endless = require "spec.support.endless"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local PAST = 1767225600

describe("examples/", function()
  local sim, client, folder, remove, eth

  setup(function()
    folder, remove = project.folder()
    sim = simulator.start { rate = 5, rate_limit = 0, signers_file = folder .. "/signers" }
    client = sim:client { rate_limit = false }
    for _, feed in ipairs(assert(client:get_feeds())) do
      if feed.name == "ETH/USD" then eth = feed.id end
    end
  end)
  after_each(function() sim:clear_faults() end)
  teardown(function()
    if client then client:close() end
    if sim then sim:stop() end
    if remove then remove() end
  end)

  local function command(program, arguments, before)
    return ("%s %s %s examples/%s.lua %s 2>%s/errors"):format(sim:exports(), before or "", project.lua, program,
      arguments, folder)
  end

  -- Its output, what it says on standard error, its status.
  local function run(program, arguments)
    local output, status = project.run(command(program, arguments, "timeout 60"))
    return output, project.read(folder .. "/errors"), status
  end

  -- The same of one that does not end: it is killed when it has printed so many lines.
  local function run_and_kill(program, arguments, lines)
    return endless.run(command(program, arguments), lines), project.read(folder .. "/errors")
  end

  local function lines_of(text)
    local list = {}
    for line in text:gmatch "[^\n]+" do list[#list + 1] = line end
    return list
  end

  describe("each", function()
    for program in project.run "grep -l 'usage: lua' examples/*.lua":gmatch "examples/([%w_]+)%.lua" do
      it("tells how it is used: " .. program, function()
        local output, errors, status = run(program, "")
        assert.same({ "", 2 }, { output, status })
        assert.matches("^usage: lua examples/" .. program .. "%.lua ", errors)
      end)
    end
  end)

  it("price_monitor.lua tells of moves", function()
    local output, errors = run_and_kill("price_monitor", "0.0000001 " .. eth, 6)
    assert.matches("^%d%d:%d%d:%d%d price 0x%x+ %d+%.%d+ %(%+0%.000 %%%)\n", output)
    assert.matches("\n%d%d:%d%d:%d%d ALERT 0x%x+ moved [+-]%d%.%d+ %% in %d+ s\n", output)
    assert.equal("# connected \n", errors)
  end)

  it("price_monitor.lua tells of silence", function()
    sim:fault "on=ws,action=quiet,after=2"
    local output = run_and_kill("price_monitor", "100 " .. eth, 3)
    assert.equal("ALERT no report of any feed in 5 s", lines_of(output)[3])
  end)

  it("history_collection.lua collects all, and goes on where it was cut", function()
    local path = folder .. "/history.csv"
    local function collect(to)
      local output, errors, status = run("history_collection", ("%s %s %d %d"):format(path, eth, PAST, to))
      assert.same({ "", 0 }, { errors, status }, output)
      return tonumber(output:match "^%d+")
    end
    assert.equal(50, collect(PAST + 9))
    local text = project.read(path)
    assert.equal(0, collect(PAST + 9))
    project.write(path, text:sub(1, -60)) -- within the last second, and within a line
    assert.is_true(collect(PAST + 19) >= 50)
    local expected = {}
    for report in client:reports(eth, PAST, PAST + 19) do
      expected[#expected + 1] = ("%d,%s,%s"):format(report.observations_timestamp,
        report:exact "observations_timestamp", report:exact "price")
    end
    assert.same(expected, lines_of(project.read(path)))
  end)

  it("multi_feed.lua shows the newest of each", function()
    local output = run_and_kill("multi_feed", "eth/usd BTC/USD", 9)
    local seen = {}
    for name, rest in output:gmatch "(%u+/USD)%s+([^\n]+)\n" do
      if rest ~= "waiting" then
        assert.matches("^%d+%.%d+%s+%d+%.%d+ bp%s+%-?%d+ s$", rest)
        seen[name] = true
      end
    end
    assert.same({ ["ETH/USD"] = true, ["BTC/USD"] = true }, seen)
    local _, errors, status = run("multi_feed", "NOPE/USD")
    assert.equal(2, status)
    assert.matches("none of these feeds", errors)
  end)

  it("restart.lua misses nothing between two runs, and repeats one report at most", function()
    local state = folder .. "/state"
    local function restart(count) return lines_of((run_and_kill("restart", state .. " " .. eth, count))) end
    local lines = restart(8)
    local stopped = tonumber(lines[#lines]:match "^%d+")
    await("reports that nobody reads", function()
      return client:get_latest_report(eth).observations_timestamp > stopped + 1
    end)
    local before = #lines
    for _, line in ipairs(restart(20)) do lines[#lines + 1] = line end
    if lines[before] == lines[before + 1] then table.remove(lines, before) end
    local first, last = tonumber(lines[1]:match "^%d+"), tonumber(lines[#lines]:match "^%d+")
    local expected, given = {}, {}
    for report in client:reports(eth, first + 1, last - 1) do
      expected[#expected + 1] = ("%d %s %s"):format(report.observations_timestamp, eth, report:exact "price")
    end
    for _, line in ipairs(lines) do
      local second = tonumber(line:match "^%d+")
      if second > first and second < last then given[#given + 1] = line end
    end
    assert.is_true(#expected >= 10)
    assert.same(expected, given)
  end)

  it("verified_stream.lua lets only signed reports pass", function()
    sim:fault "on=ws,action=corrupt,kind=price,after=1"
    local output, errors = run_and_kill("verified_stream", folder .. "/signers " .. eth, 4)
    assert.is_true(#lines_of(output) >= 4)
    for _, line in ipairs(lines_of(output)) do
      assert.matches("^" .. eth .. " %d+%.%d+, signed by 0x%x+ 0x%x+$", line)
    end
    assert.matches("# not delivered: a report of " .. eth .. ": BadVerification", errors)
  end)

  -- A node whose proxy is a 2.0.0, and which finds each report good or none.
  local NODE = [[
    local cjson, socket = require "cjson", require "socket"
    local chainlink = require "chainlink"
    local listener = assert(socket.bind("127.0.0.1", 0))
    print((select(2, listener:getsockname())))
    io.flush()
    local function answer(call)
      local length = call.data:sub(3 + 8 + 128, 2 + 8 + 128 + 64)
      local report = arg[1] == "good" and #length == 64
        and chainlink.decode(call.data:sub(3 + 8 + 192, 2 + 8 + 192 + 2 * tonumber(length, 16)))
      if not report then return '"error":{"code":3,"message":"execution reverted","data":"0x4df18f07"}' end
      local blob = report.report_blob:sub(3)
      return ('"result":"0x%064x%064x%s%s"'):format(32, #blob / 2, blob, ("0"):rep(-#blob % 64))
    end
    while true do
      local connection = listener:accept()
      local length = 0
      repeat
        local line = connection:receive "*l"
        length = tonumber(line:lower():match "^content%-length: (%d+)") or length
      until line == ""
      local question = cjson.decode((connection:receive(length)))
      local body = ('{"jsonrpc":"2.0","id":%d,%s}'):format(question.id, answer(question.params[1]))
      connection:send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body)
      connection:close()
    end
  ]]

  it("onchain_check.lua tells what the contract says", function()
    assert.is_table(cjson) -- the node's
    project.write(folder .. "/node.lua", NODE)
    for verdict, expected in pairs { good = { 0, "the contract verifies it\n$" },
      bad = { 1, "NOT verified: BadVerification, " } } do
      local pipe = assert(io.popen(("echo $$; exec %s %s/node.lua %s"):format(project.lua, folder, verdict)))
      local pid, port = pipe:read "*l", pipe:read "*l"
      local output, errors, status = run("onchain_check", ("http://127.0.0.1:%s 0x%s %s"):format(port,
        ("1a"):rep(20), eth))
      os.execute("kill " .. pid)
      pipe:close()
      assert.equal(expected[1], status, output .. errors)
      assert.matches("^%d+%.%d+ at %d+: " .. expected[2], output)
    end
  end)
end)
