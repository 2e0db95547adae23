-- SPDX-License-Identifier: MIT
-- What --output leaves behind: the whole file in one step, or FILE.part and words that say so.

local await = require "spec.support.await"
local cjson = require "cjson"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

describe("--output", function()
  local sim, folder, remove

  setup(function() sim = simulator.start { rate = 20, rate_limit = 0, feeds = 26 } end)
  teardown(function() sim:stop() end)
  before_each(function() folder, remove = project.folder() end)
  after_each(function() remove() end)

  -- FOLDER is the test's own, and the working directory.
  local function run(command)
    local script = ("cd FOLDER; export %s; %s"):format(sim:exports(), command):gsub("FOLDER", folder)
    project.write(folder .. "/.script", script)
    return project.run("timeout -k 5 60 sh " .. folder .. "/.script")
  end

  local function files() return (run "ls") end

  local function rows_of(name)
    local rows = {}
    for line in project.read(folder .. "/" .. name):gmatch "[^\n]+" do rows[#rows + 1] = cjson.decode(line) end
    return rows
  end

  it("has what would have been written, and nothing else is written or left", function()
    local at = "at 1735689600 ETH/USD BTC/USD --format csv"
    local expected = run("chainlink-streams " .. at)
    local output, status = run("chainlink-streams " .. at .. " --output=out")
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal(expected, project.read(folder .. "/out"))
    assert.equal("out\n", files())
  end)

  it("is -o too, of each command that writes reports, and of the completions", function()
    local commands = { "feeds -o out", "latest ETH/USD -o out", "history ETH/USD --from now-5 -oout",
      "stream ETH/USD --count 2 --quiet -o out", "completion bash -o out" }
    for _, command in ipairs(commands) do
      local output, status = run("rm -f out; chainlink-streams " .. command)
      assert.equal("", output, command)
      assert.equal(0, status)
      assert.is_true(#project.read(folder .. "/out") > 100, command)
    end
    local output, status = run "chainlink-streams latest ETH/USD --format json -o -"
    assert.equal(0, status)
    assert.equal("ETH/USD", cjson.decode(output).name)
  end)

  it("keeps the file that was there until the new one is whole, and its permissions and place", function()
    run "echo old >there; chmod 640 there; ln -s there link"
    sim:fault "on=rest,path=/api/v1/reports/page,action=status,status=400,times=0"
    local output, status = run "chainlink-streams history ETH/USD --format json -o link"
    sim:clear_faults()
    assert.equal(1, status, output)
    assert.equal("old\n", project.read(folder .. "/there"))
    assert.equal("link\nthere\n", files()) -- nothing had come
    output, status = run "umask 0; chainlink-streams feeds --format json -o link; stat -c %a there; readlink link"
    assert.equal("640\nthere\n", output)
    assert.equal(0, status)
    assert.equal(26, #rows_of "there")
  end)

  it("leaves FILE.part, and says so, where the command fails in the middle", function()
    run "echo old >out"
    run [[{ chainlink-streams history ETH/USD --from 2020-01-01 --format json -o out 2>err
      echo $? >status; } >/dev/null 2>&1 &]]
    await("something to come", function() return run "test -s out.part && echo yes" == "yes\n" end)
    sim:fault "on=rest,path=/api/v1/reports/page,action=status,status=400,times=0"
    await("the end", function() return run "test -s status && echo yes" == "yes\n" end)
    sim:clear_faults()
    assert.equal("1\n", project.read(folder .. "/status"))
    assert.matches("^chainlink%-streams: %S+/out%.part has what came, and is not whole; out is as it was\n"
      .. "chainlink%-streams: ", project.read(folder .. "/err"))
    assert.equal("old\n", project.read(folder .. "/out"))
    assert.is_true(#rows_of "out.part" > 0)
    local output, status = run "rm err status; chainlink-streams latest ETH/USD --format json -o out"
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal(1, #rows_of "out") -- what was left is taken over
    assert.equal("out\n", files())
  end)

  -- Presses Ctrl-C once something has come.
  local interrupt = [[ & pid=$!
    until [ -s out.part ]; do kill -0 $pid || exit 99; sleep 0.05; done; kill -INT $pid; wait $pid]]

  it("is whole where Ctrl-C is the command's end, and not where it is none", function()
    local output, status = run("exec 2>err; chainlink-streams stream ETH/USD --quiet --format json -o out" .. interrupt)
    assert.equal(130, status, output)
    assert.is_true(#rows_of "out" > 0)
    assert.equal("", project.read(folder .. "/err"))
    output, status = run("rm out; exec 2>err; chainlink-streams history ETH/USD --from 2020-01-01 --format json -o out"
      .. interrupt)
    assert.equal(130, status, output)
    assert.matches("out%.part has what came, and is not whole", project.read(folder .. "/err"))
    assert.equal("err\nout.part\n", files())
  end)

  it("is written by one command at a time", function()
    local output, status = run([[chainlink-streams stream ETH/USD --quiet --format json -o out & pid=$!
      until [ -s out.part ]; do kill -0 $pid || exit 99; sleep 0.05; done
      chainlink-streams latest ETH/USD --format json -o out; echo $?
      kill -INT $pid; wait $pid]])
    assert.equal(130, status, output)
    assert.matches("^chainlink%-streams: cannot write out%.part: another command writes it\n1\n", output)
    assert.is_true(#rows_of "out" > 0)
  end)

  it("writes through no link that somebody put there", function()
    run "echo mine >there; ln -s there out.part; ln there two.part"
    run "mkfifo three.part; mkdir four; ln -s nowhere five.part"
    local other = "there is something else of that name"
    for name, reason in pairs { out = other, two = other, three = other, five = other, four = "Is a directory",
      ["no/where"] = "No such file or directory" } do
      local output, status = run("chainlink-streams feeds -o " .. name)
      assert.equal(1, status)
      assert.truthy(output:find(": " .. reason .. "\n", 1, true), name .. ": " .. output)
    end
    assert.equal("mine\n", project.read(folder .. "/there"))
    assert.is_nil(files():find "nowhere\n")
  end)

  it("writes to a device or a pipe as it is, and notices that a disk is full", function()
    local output, status = run "chainlink-streams feeds -o /dev/full"
    assert.equal("chainlink-streams: cannot write /dev/full: No space left on device\n", output)
    assert.equal(1, status)
    output, status = run "mkfifo pipe; cat pipe >copy & chainlink-streams feeds --format json -o pipe; wait"
    assert.equal("", output)
    assert.equal(0, status)
    assert.equal(26, #rows_of "copy")
  end)

  it("leaves what was there where the disk is full", function()
    run "echo old >out"
    local output, status = run [[ulimit -f 1; trap '' XFSZ
      chainlink-streams history ETH/USD --from now-100 --format json -o out 2>&1]]
    assert.equal(1, status)
    assert.matches("cannot write out: File too large", output)
    assert.equal("old\n", project.read(folder .. "/out"))
  end)
end)
