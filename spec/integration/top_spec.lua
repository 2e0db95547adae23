-- SPDX-License-Identifier: MIT
-- `top` in a terminal of its own, against the simulator: what it shows, and how it leaves the terminal.

local await = require "spec.support.await"
local host = require "spec.support.host"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"
local tmux = require "spec.support.tmux"

local HEAD = "feed +price +age +rate/s"

describe("top", function()
  local sim

  setup(function() sim = simulator.start { rate = 5, rate_limit = 0, feeds = 26 } end)
  teardown(function() sim:stop() end)

  describe("on a terminal", function()
    if not host.has_command "tmux" then
      pending "tmux is not here"
      return
    end

    local terminal, folder, remove
    before_each(function() folder, remove = project.folder() end)
    after_each(function()
      terminal:stop()
      remove()
    end)

    -- A shell in a terminal, in which top runs; "before" is set first. Its process is in the file "pid".
    local function start(columns, rows, arguments, before)
      local environment = ("export %s %s;"):format(sim:exports(), before or "")
      terminal = tmux.start(columns, rows, "PS1='READY ' ENV= sh", environment)
      terminal:shows "^READY"
      project.write(folder .. "/go", ("echo $$ >%s/pid; exec chainlink-streams top %s\n"):format(folder, arguments))
      terminal:type(("sh %s/go; echo ended with $?"):format(folder))
      terminal:keys "Enter"
      terminal:shows(HEAD)
    end

    -- The shell's screen is back, with these words, and keys are seen and come by lines.
    local function is_left_with(words)
      terminal:shows("/go; echo ended with %$%?\n" .. words)
      assert.equal("0 1", terminal:modes())
      terminal:type "clear; stty -a"
      terminal:keys "Enter"
      local settings = terminal:shows "isig [^\n]*echo"
      for _, flag in ipairs { "isig", "icanon", "echo" } do assert.matches("[ \n]" .. flag .. " ", settings) end
    end

    it("shows the feeds and the connections, and ends by q", function()
      start(80, 24, "ETH/USD BTC/USD")
      local screen = terminal:shows "\nETH/USD +%d+%.%d+ +[%d.]+s +[%d.]+ +%d+"
      assert.matches("^chainlink%-streams top  2 feeds  for ", screen)
      assert.matches("1 of 1 connections up", screen)
      assert.matches(" connected ", screen)
      assert.matches("\nBTC/USD ", screen)
      assert.equal("1 0", terminal:modes())
      terminal:keys "q"
      is_left_with "ended with 0\n"
    end)

    it("follows the terminal's size", function()
      start(80, 24, "ETH/USD BTC/USD --interval 3600")
      terminal:shows(HEAD .. " +latency +gaps +lost +observed *\n")
      terminal:resize(60, 20)
      terminal:shows(HEAD .. " +latency +gaps *\n")
      terminal:resize(200, 30)
      terminal:shows "feed +price +bid +ask +age +rate/s +latency +gaps +lost +observed +reports +id *\n"
      terminal:resize(30, 5)
      terminal:shows "feed +price *\n"
    end)

    it("scrolls where there are more feeds than rows", function()
      local names = {}
      for name in project.run(sim:exports() .. " chainlink-streams feeds --format csv"):gmatch "\n0x%x+,%d+,([^,]+)" do
        names[#names + 1] = name
      end
      start(80, 12, table.concat(names, " ", 1, 12))
      terminal:shows "feeds 1 to 6 of 12; down and up scroll"
      terminal:keys "Down"
      terminal:shows "feeds 2 to 7 of 12;"
      terminal:keys "Space"
      terminal:shows "feeds 7 to 12 of 12;"
      terminal:keys("PageUp", "k")
      terminal:shows "feeds 1 to 6 of 12;"
    end)

    local function signal(name) project.run(("kill -%s $(cat %s/pid)"):format(name, folder)) end

    it("gives the terminal back on Ctrl-C", function()
      start(80, 24, "ETH/USD")
      terminal:keys "C-c"
      is_left_with "ended with 130\n"
    end)

    for name, words in pairs { TERM = "Terminated *\nended with 143\n", HUP = "Hangup *\nended with 129\n" } do
      it("gives the terminal back on SIG" .. name, function()
        start(80, 24, "ETH/USD")
        signal(name)
        is_left_with(words)
      end)
    end

    it("gives the terminal back while it is stopped, and draws again when it goes on", function()
      start(80, 24, "ETH/USD")
      terminal:keys "C-z"
      await("the stop", function() return terminal:modes() == "0 1" end)
      terminal:type "fg"
      terminal:keys "Enter"
      await("the view", function() return terminal:modes() == "1 0" end)
      terminal:shows(HEAD)
      terminal:keys "q"
      await("the end", function() return terminal:modes() == "0 1" end)
    end)

    it("gives the terminal back on an error, and says what failed", function()
      start(80, 24, "ETH/USD")
      sim:fault "on=ws,action=status,status=401,times=0"
      sim:fault "on=live,action=drop"
      terminal:shows "ended with 3"
      sim:clear_faults()
      assert.matches("chainlink%-streams: AuthenticationError: ", terminal:screen())
      assert.equal("0 1", terminal:modes())
    end)

    it("says what is wrong with a connection", function()
      start(80, 24, "ETH/USD")
      terminal:shows "1 of 1 connections up"
      sim:fault "on=ws,action=status,status=503,times=0"
      sim:fault "on=live,action=drop"
      terminal:shows "0 of 1 connections up"
      terminal:shows "\n[%d.]+s ago: reconnecting localhost:%d+: "
      sim:clear_faults()
      terminal:shows "1 of 1 connections up"
    end)

    it("has colours, unless NO_COLOR is set", function()
      start(80, 24, "ETH/USD")
      assert.matches("\27%[7m", terminal:screen "-e")
      assert.matches("\27%[1m", terminal:screen "-e")
      terminal:stop()
      start(80, 24, "ETH/USD", "NO_COLOR=1")
      assert.is_nil(terminal:screen "-e":find "\27%[%d*[13-9]m")
    end)
  end)

  local function run(command) return project.run(("export %s; timeout 60 %s"):format(sim:exports(), command)) end

  it("writes lines where it cannot draw", function()
    local command = "chainlink-streams top ETH/USD BTC/USD --interval 0.3 --count 3"
    local commands = { command .. " | cat", command .. " </dev/null",
      "env TERM=dumb script -qec '" .. command .. "' /dev/null </dev/null" }
    for _, words in ipairs(commands) do
      local output, status = run(words)
      assert.equal(0, status, output)
      assert.is_nil(output:find "\27")
      local _, blocks = output:gsub("chainlink%-streams top  2 feeds", "")
      assert.equal(3, blocks, output)
      local _, rows = output:gsub("\nETH/USD +%S", "")
      assert.equal(3, rows, output)
      assert.matches("\nETH/USD +%d+%.%d", output)
    end
  end)

  it("ends well when its reader goes, and notices that the disk is full", function()
    local output = run "chainlink-streams top ETH/USD --interval 0.1 | head -n 1"
    assert.matches("^chainlink%-streams top  1 feed [^\n]*\n$", output)
    local status
    output, status = run "chainlink-streams top ETH/USD >/dev/full"
    assert.equal("chainlink-streams: cannot write the output: No space left on device\n", output)
    assert.equal(1, status)
  end)

  it("explains wrong usage", function()
    for words, reason in pairs { [""] = "a feed is missing", ["NOPE/USD"] = "no feed is named 'NOPE/USD'",
      ["ETH/USD --interval 0"] = "--interval must be a number from 0.1 to 3600, not '0'" } do
      local output, status = run("chainlink-streams top " .. words)
      assert.truthy(output:find(reason, 1, true), output)
      assert.equal(2, status)
    end
  end)
end)
