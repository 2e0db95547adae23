-- SPDX-License-Identifier: MIT
-- What the command writes and where: a full disk, a reader that goes, Ctrl-C, files of secrets.

local cjson = require "cjson"
local project = require "spec.support.project"
local sample = require "spec.support.sample"
local simulator = require "spec.support.simulator"

local PAST = 1735689600 -- 2025-01-01T00:00:00Z

describe("chainlink-streams", function()
  local sim, folder, remove, exports, signed

  setup(function()
    folder, remove = project.folder()
    sim = simulator.start { rate_limit = 0, signers_file = folder .. "/signers" }
    local words = {}
    for name, value in pairs(sim.env) do words[#words + 1] = ("export %s='%s';"):format(name, value) end
    exports = table.concat(words, " ")
    local client = sim:client()
    signed = assert(client:get_report(assert(client:get_feeds())[1].id, PAST)).full_report
    client:close()
    project.write(folder .. "/report", signed .. "\n")
  end)

  teardown(function()
    sim:stop()
    remove()
  end)

  local function run(command)
    return project.run(exports .. " " .. command:gsub("FOLDER", folder))
  end

  local commands = {
    "--help", "version", "stream --help", "simulate --help", "feeds", "feeds --format json", "feeds --format csv",
    "latest ETH/USD", "latest ETH/USD BTC/USD", "latest ETH/USD --format json", "at now-60 ETH/USD --format csv",
    "history ETH/USD --format csv", "history ETH/USD --from now-5 --format json", "history ETH/USD",
    "stream ETH/USD --count 1 --quiet", "stream ETH/USD --count 1 --quiet --format csv",
    "decode FOLDER/report", "decode --format json FOLDER/report", "decode --format csv FOLDER/report",
    "verify --signers FOLDER/signers FOLDER/report", "verify --signers FOLDER/signers --format csv FOLDER/report",
    "simulate", "simulate --plain",
  }
  for _, command in ipairs(commands) do
    it("notices that the disk is full: " .. command, function()
      local output, status = run("timeout 60 chainlink-streams " .. command .. " >/dev/full")
      assert.are.equal("chainlink-streams: cannot write the output: No space left on device\n", output)
      assert.are.equal(1, status)
    end)
  end

  for _, command in ipairs(commands) do
    it("ends without a word when its reader is gone: " .. command, function()
      local output, status = run(("{ timeout 60 chainlink-streams %s; echo $? >FOLDER/status; } "
        .. "2>FOLDER/errors | :"):format(command))
      assert.are.equal("", output)
      assert.are.equal(0, status)
      assert.are.equal("", project.read(folder .. "/errors"))
      assert.are.equal("0\n", project.read(folder .. "/status"))
    end)
  end

  it("says what else is wrong with the output", function()
    local output, status = run "chainlink-streams version >&-"
    assert.are.equal("chainlink-streams: cannot write the output: Bad file descriptor\n", output)
    assert.are.equal(1, status)
  end)

  -- Starts a command, presses Ctrl-C once it is ready, and waits for its end. Its standard input is one line, and open.
  local function interrupt(command, ready)
    project.write(folder .. "/script", ([[
      cd FOLDER; rm -f fifo out err; mkfifo fifo; exec 3<>fifo; echo zz >&3
      %s >out 2>err <&3 & pid=$!
      until %s; do kill -0 $pid || exit 99; sleep 0.05; done
      kill -INT $pid; wait $pid]]):format(command, ready):gsub("FOLDER", folder))
    return run "timeout -k 5 60 sh FOLDER/script"
  end

  local endless = {
    ["chainlink-streams stream ETH/USD"] = "[ -s out ]",
    ["chainlink-streams stream ETH/USD --quiet --format json --count 100000"] = "[ -s out ]",
    ["chainlink-streams history ETH/USD --from 2020-01-01 --format json"] = "[ -s out ]",
    ["chainlink-streams simulate"] = "grep -qs PID out",
    ["chainlink-streams decode"] = "[ -s err ]",
    ["chainlink-streams verify --signers FOLDER/signers"] = "[ -s err ]",
    [project.lua .. ' "$OLDPWD/examples/stream.lua"'] = "[ -s out ]",
  }
  for command, ready in pairs(endless) do
    it("ends with 130 on Ctrl-C, without a traceback: " .. command, function()
      local output, status = interrupt(command, ready)
      assert.are.equal(130, status, output)
      assert.is_nil(project.read(folder .. "/err"):find("traceback", 1, true))
    end)
  end

  it("is ended well by SIGTERM where it serves, having written the lines of its file", function()
    local output, status = run [[rm -f FOLDER/out
      chainlink-streams simulate --env-file FOLDER/same >FOLDER/out & pid=$!
      until grep -qs PID FOLDER/out; do kill -0 $pid || break; sleep 0.05; done; kill $pid; wait $pid]]
    assert.are.equal(0, status, output)
    local lines = project.read(folder .. "/same")
    assert.are.equal(("# Data Streams simulator; stop it with: kill %s\n%s"):format(lines:match "_PID=(%d+)\n$", lines),
      project.read(folder .. "/out"))
  end)

  describe("simulate", function()
    local function start(options)
      return run(("timeout 60 chainlink-streams simulate --plain %s 2>&1 >/dev/full"):format(options))
    end

    it("makes files that only their owner can read, whatever the umask", function()
      local output = run "umask 0; timeout 60 chainlink-streams simulate --plain --env-file FOLDER/env >/dev/full"
      assert.matches("No space left", output)
      assert.are.equal("-rw-------", (run "ls -l FOLDER/env"):sub(1, 10))
      local text = project.read(folder .. "/env")
      assert.matches("^export CHAINLINK_STREAMS_API_KEY=simulator%-key\nexport ", text)
      assert.matches("\nexport CHAINLINK_SIMULATOR_PID=%d+\n$", text)
      assert.are.equal("env\n", (run "cd FOLDER && ls env*"))
    end)

    it("neither replaces a file nor writes through one", function()
      project.write(folder .. "/there", "mine\n")
      run "ln -s FOLDER/there FOLDER/link; ln -s FOLDER/nowhere FOLDER/dangling"
      for _, name in ipairs { "there", "link", "dangling" } do
        for _, option in ipairs { "env-file", "signers-file" } do
          local output, status = start(("--%s FOLDER/%s"):format(option, name))
          assert.are.equal(("chainlink-streams: cannot write %s/%s: File exists; it must be a new file\n"):format(
            folder, name), output)
          assert.are.equal(1, status)
        end
      end
      assert.are.equal("mine\n", project.read(folder .. "/there"))
      assert.are.equal("", (run "ls FOLDER | grep -e nowhere -e 'there.' -e 'link.'"))
    end)

    it("says why it cannot write a file", function()
      local output, status = start "--env-file FOLDER/nowhere/env"
      assert.are.equal(("chainlink-streams: cannot write %s/nowhere/env: No such file or directory\n"):format(folder),
        output)
      assert.are.equal(1, status)
    end)

    it("tells who signs in a file that verify reads, as it does the answer of its control", function()
      local output, status = run "chainlink-streams verify --signers FOLDER/signers FOLDER/report"
      assert.matches("^verified ", output)
      assert.are.equal(0, status)
      project.write(folder .. "/oracles", (sim:control("GET", "/control/oracles")))
      output, status = run "chainlink-streams verify --signers FOLDER/oracles FOLDER/report --format json"
      assert.is_true(cjson.decode(output).verified)
      assert.are.equal(0, status)
      output, status = run("chainlink-streams verify --signers FOLDER/signers FOLDER/report " .. sample.v3)
      assert.matches("\nREFUSED ", output)
      assert.are.equal(4, status)
    end)

    it("replays what the command wrote", function()
      run "chainlink-streams history ETH/USD --from now-20 --to now-10 --format json >FOLDER/recording"
      local again = simulator.start { replay = folder .. "/recording", rate_limit = 0 }
      finally(function() again:stop() end)
      local client = again:client()
      local texts = {}
      for report in client:reports(assert(client:get_feeds())[1].id, 0, os.time()) do
        texts[#texts + 1] = report.full_report
      end
      client:close()
      local expected = {}
      for line in project.read(folder .. "/recording"):gmatch "[^\n]+" do
        expected[#expected + 1] = cjson.decode(line).full_report
      end
      assert.are.equal(11, #expected)
      assert.are.same(expected, texts)
    end)
  end)

  it("is in colours on a terminal, unless it is asked not to", function()
    local function on_terminal(command)
      return (run(("script -qec '%s' /dev/null </dev/null"):format(command)))
    end
    assert.matches("^\27%[1mid [^\n]+name\27%[0m\r?\n0x", on_terminal "chainlink-streams feeds")
    assert.matches("^\27%[1mobserved ", on_terminal "chainlink-streams history ETH/USD")
    assert.is_nil(on_terminal("NO_COLOR=1 chainlink-streams feeds"):find "\27")
    local text = on_terminal "chainlink-streams verify --signers FOLDER/signers FOLDER/report"
    assert.matches("^\27%[32mverified\27%[0m  v%d", text)
    text = on_terminal("chainlink-streams verify --signers FOLDER/signers " .. sample.v3)
    assert.matches("^\27%[31mREFUSED\27%[0m   v3", text)
  end)

  it("paints a price that rose green, and one that fell red", function()
    local output = run [[script -qec 'chainlink-streams stream ETH/USD --count 4 --quiet' /dev/null </dev/null]]
    local before
    local rows = 0
    for row in output:gmatch "[^\r\n]+" do
      local colour, price = row:match "v3 +\27%[(%d+)m +([%d.]+)\27%[0m"
      price = tonumber(price or row:match "v3 +([%d.]+)")
      if price and before and price ~= before then -- those of two digits alike may differ in more
        assert.are.equal(price > before and "32" or "31", colour)
      end
      if price then
        rows, before = rows + 1, price
      end
    end
    assert.are.equal(4, rows)
  end)

  it("feeds verify what it wrote itself, naming what is wrong", function()
    local command = "chainlink-streams verify --signers FOLDER/signers --format json FOLDER/mixed"
    run [[chainlink-streams latest ETH/USD BTC/USD --format json >FOLDER/mixed; echo 0x12 >>FOLDER/mixed]]
    local output, status = run(command)
    assert.are.equal(1, status)
    assert.are.equal(2, select(2, output:gsub('"verified":true', "")))
    assert.is_truthy(output:find(folder .. "/mixed, line 3: DecodeError", 1, true))
    run("echo " .. sample.v3 .. " >>FOLDER/mixed")
    output, status = run(command)
    assert.are.equal(4, status)
    assert.are.equal(1, select(2, output:gsub('"verified":false', "")))
  end)
end)
