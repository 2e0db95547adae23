-- SPDX-License-Identifier: MIT
-- Signals: Ctrl-C and SIGTERM while a script waits, for whatever; the example programs, the command and the demo.

local await = require "spec.support.await"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

-- Shells and `make -j` start children with SIGINT ignored, which a shell below could not undo.
local RESET = "env --default-signal=INT,TERM,HUP"
local can_reset = select(2, project.run(RESET .. " true")) == 0

describe("a signal", function()
  local sim, id, folder, remove

  setup(function()
    sim = simulator.start { rate = 20, rate_limit = 0, feeds = 2 }
    local client = sim:client {}
    id = assert(client:get_feeds())[1].id
    client:close()
    folder, remove = project.folder()
  end)

  after_each(function() sim:clear_faults() end)

  teardown(function()
    sim:stop()
    remove()
  end)

  local function environment()
    local words = {}
    for name, value in pairs(sim.env) do words[#words + 1] = ("%s='%s'"):format(name, value) end
    return table.concat(words, " ")
  end

  -- Starts a command, waits for a line that has `sign`, signals it and answers all output and the exit code. A command
  -- that does not end is killed after a while, which shows in the code. again: the signal is repeated until the end.
  local function run(command, sign, signal, again)
    local pipe = assert(io.popen(("exec 2>&1; %s timeout -s KILL 90 sh -c 'echo $$; exec %s %s'; echo \" $?\""):format(
      environment(), RESET, command), "r"))
    local pid, output = pipe:read "*l", {}
    local line
    repeat
      line = pipe:read "*l"
      output[#output + 1] = line
    until not line or line:find(sign)
    assert(line, "it ended too early: " .. table.concat(output, "\n"):sub(-1000))
    local kill = ("kill -%s %s 2>/dev/null"):format(signal, pid)
    os.execute(again and ("while %s; do sleep 0.05; done"):format(kill) or kill)
    local rest, code = pipe:read("*a"):match "^(.*) (%d+)\n$"
    pipe:close()
    return table.concat(output, "\n") .. "\n" .. rest:sub(-4000), tonumber(code)
  end

  local function no_connections()
    await("the connections' end", function() return sim:stats().websockets.open == 0 end)
  end

  local function script(text)
    project.write(folder .. "/script.lua", ([[
      io.stdout:setvbuf "no"
      local client = require "chainlink".client_from_env()
      local id = %q
      local function ready() print "ready" end
    ]]):format(id) .. text)
    return project.lua .. " " .. folder .. "/script.lua"
  end

  local waits = {
    ["a loop over a stream"] = { "", "local s = client:stream { id } s:connect() ready() for _ in s do end" },
    ["a read where nothing comes"] = { "on=ws,action=freeze,after=0",
      "local s = client:stream { id } s:connect() ready() s:read()" },
    ["connect"] = { "on=ws,action=silence", "local s = client:stream { id } ready() s:connect()" },
    ["a wait for the next attempt"] = { "on=ws,action=status,status=503,retry_after=600",
      "local s = client:stream { id } ready() s:read()" },
    ["a REST call"] = { "on=rest,action=silence", "ready() client:get_latest_report(id)" },
    ["a range of reports"] = { "on=rest,action=silence", "ready() for _ in client:reports(id, os.time() - 9) do end" },
  }
  for name, wait in pairs(waits) do
    local fault, text = wait[1], wait[2]
    for signal, expected in pairs { INT = 1, TERM = 143 } do
      it(("SIG%s ends %s"):format(signal, name), function()
        if not can_reset then return pending "env cannot reset signals here" end
        if fault ~= "" then sim:fault(fault) end
        local output, code = run(script(text), "ready", signal)
        assert.are.equal(expected, code, output)
        if signal == "INT" then assert.is_truthy(output:find("interrupted!", 1, true), output) end
        no_connections()
      end)
    end
  end

  local function ends(expected, command, sign, signal, again)
    if not can_reset then return pending "env cannot reset signals here" end
    local output, code = run(command, sign, signal, again)
    assert.are.equal(expected, code, output)
    assert.is_nil(output:find("traceback", 1, true), output)
    no_connections()
    return output
  end

  it("that a script catches leaves its stream as it was", function()
    local output = ends(0, script [[
      local s = client:stream { id }
      local ok, err = pcall(function()
        ready()
        for _ in s do end
      end)
      assert(not ok and err:find "interrupted!")
      for _ = 1, 10 do assert(s:read(60)) end
      assert(client:get_latest_report(id))
      assert(s:stats().reconnect_count == 0)
      client:close()
      print "the end"
    ]], "ready", "INT")
    assert.is_truthy(output:find("the end", 1, true), output)
  end)

  -- The interpreter interrupts its main coroutine alone; the second Ctrl-C kills, as it then stands aside.
  it("ends a coroutine the second time", function()
    ends(130, script [[
      coroutine.wrap(function()
        local s = client:stream { id }
        s:connect()
        ready()
        for _ in s do end
      end)()
    ]], "ready", "INT", true)
  end)

  it("ends the command", function()
    local output = ends(130, "chainlink-streams stream " .. id, "0x", "INT")
    assert.is_truthy(output:find "# %d+ reports, 0 duplicates", output)
    ends(143, "chainlink-streams stream " .. id, "0x", "TERM")
    sim:fault "on=rest,action=status,status=503,retry_after=200,times=0"
    ends(130, "chainlink-streams latest --verbose " .. id, "503", "INT")
  end)

  it("ends a simulator, which tidies up", function()
    for signal, expected in pairs { INT = 130, TERM = 0 } do
      local output = ends(expected, "chainlink-streams simulate", "SIMULATOR_PID", signal)
      local ca_file = assert(output:match "CA_FILE=(%S+)")
      assert.is_nil((io.open(ca_file, "r")))
    end
  end)

  it("ends the examples", function()
    local lua = project.lua .. " examples/"
    local output = ends(130, lua .. "stream.lua " .. id, "v%d+ 0x", "INT")
    assert.is_truthy(output:find("# %d+ reports, 0 reconnects"), output)
    ends(143, lua .. "stream.lua", "v%d+ 0x", "TERM")
  end)

  it("ends the demo and its simulator", function()
    for signal, expected in pairs { INT = 130, TERM = 143, HUP = 129 } do
      local output = ends(expected, "examples/demo.sh", "v3 ", signal)
      local url = assert(output:match "service listens on (%S+)")
      assert.are.equal(7, select(2, project.run("curl -sk --max-time 60 -o /dev/null " .. url)))
    end
  end)
end)
