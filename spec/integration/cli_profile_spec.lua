-- SPDX-License-Identifier: MIT
-- Credentials of the command line: profiles, a secret from a command or a descriptor, and none that others could see.

local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local SECRET = "the-secret-0003"

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

describe("credentials of the command line", function()
  local sim, folder, remove, clean

  setup(function()
    sim = simulator.start { rate_limit = 0, feeds = 3, key = "the-key-0003-of-a-length:" .. SECRET }
    folder, remove = project.folder()
    clean = "unset CHAINLINK_STREAMS_API_KEY CHAINLINK_STREAMS_API_SECRET CHAINLINK_STREAMS_REST_URL "
      .. "CHAINLINK_STREAMS_WS_URL CHAINLINK_STREAMS_CA_FILE; export XDG_CONFIG_HOME=" .. folder .. "; "
  end)
  teardown(function()
    sim:stop()
    remove()
  end)

  -- Both outputs and the exit code of shell text that runs the command.
  local function run(words)
    local output, code = project.run(clean .. words)
    assert.is_nil(output:find(SECRET, 1, true), output)
    assert.is_nil(output:find("traceback", 1, true), output)
    return output, code
  end

  local function ok(words)
    local output, code = run(words)
    assert.are.equal(0, code, output)
    return output
  end

  local function endpoints()
    return ("--rest-url %s --ws-url %s --ca-file %s"):format(sim.rest_url, sim.ws_url, sim.ca_file)
  end

  it("are kept, listed, shown without the secret, used and removed", function()
    local keys = ("printf 'the-key-0003-of-a-length\\n%s\\n' | "):format(SECRET)
    assert.are.equal("", ok "chainlink-streams profile list")
    local added = ok(keys .. "chainlink-streams profile add sim " .. endpoints())
    assert.matches("profile 'sim' is in .*/profiles.ini", added)
    assert.are.equal("sim\n", ok "chainlink-streams profile list")
    local shown = ok "chainlink-streams profile show sim"
    assert.matches("\napi_key +the%-%.%.%. %(24 characters%)\napi_secret +kept, not shown\nrest_url +https", shown)
    assert.are.equal('{"name":"sim"}\n', ok "chainlink-streams profile list --format json")
    ok(("chainlink-streams profile show sim --format json -o %s/told"):format(folder))
    local told = require "cjson".decode(project.read(folder .. "/told"))
    assert.are.same({ name = "sim", api_key = "the-... (24 characters)", api_secret = "kept, not shown",
      rest_url = sim.rest_url, ws_url = sim.ws_url, ca_file = sim.ca_file }, told)
    assert.matches("ETH/USD", ok "chainlink-streams feeds --profile sim")
    local with_others = "CHAINLINK_STREAMS_API_KEY=other CHAINLINK_STREAMS_REST_URL=https://127.0.0.1:1 "
    assert.matches("ETH/USD", ok(with_others .. "chainlink-streams feeds --profile sim"))
    local output, code = run(keys .. "chainlink-streams profile add sim")
    assert.are.equal(2, code)
    assert.matches("there is a profile 'sim' already", output)
    ok "chainlink-streams profile remove sim"
    assert.are.equal("", ok "chainlink-streams profile list")
    output, code = run "chainlink-streams feeds --profile sim"
    assert.are.equal(2, code)
    assert.matches("there is no profile 'sim'", output)
  end)

  it("may have the secret from a command or a descriptor", function()
    project.write(folder .. "/secret", SECRET .. "\n")
    local add = "echo the-key-0003-of-a-length | chainlink-streams profile add "
    local command = "--secret-command " .. quote("cat " .. folder .. "/secret")
    ok(add .. "cmd " .. command .. " " .. endpoints())
    assert.matches("api_secret +what this prints: cat ", ok "chainlink-streams profile show cmd")
    assert.matches("ETH/USD", ok "chainlink-streams feeds --profile cmd")
    ok(add .. "fd --secret-fd 3 " .. endpoints() .. " 3<" .. folder .. "/secret")
    assert.matches("ETH/USD", ok "chainlink-streams feeds --profile fd")
    local environment = ("export CHAINLINK_STREAMS_API_KEY=the-key-0003-of-a-length CHAINLINK_STREAMS_REST_URL=%s "
      .. "CHAINLINK_STREAMS_CA_FILE=%s; chainlink-streams feeds "):format(sim.rest_url, sim.ca_file)
    assert.matches("ETH/USD", ok(environment .. command))
    assert.matches("ETH/USD", ok(environment .. "--secret-fd 0 <" .. folder .. "/secret"))
    for words, wrong in pairs {
      ["--secret-command false"] = "the secret's command",
      ["--secret-fd 77"] = "descriptor 77, for the secret, cannot be read",
      ["--secret-fd 0 --secret-command true"] = "give either %-%-secret%-command or %-%-secret%-fd, not both",
    } do
      local output, code = run(environment .. words .. " </dev/null")
      assert.are.equal(2, code, output)
      assert.matches(wrong, output)
    end
  end)

  it("are asked for at a terminal, where the secret does not show", function()
    if project.run "command -v script" == "" then return pending "needs script" end
    -- What is typed waits for the question: a terminal shows it as long as its echo is on.
    local script = clean .. [[
      cd ]] .. folder .. [[ && mkfifo typed && : >screen
      wait_for() { for _ in $(seq 600); do grep -q "$1" screen && return; sleep 0.05; done; exit 9; }
      { wait_for "API key:"; echo the-key-0003; wait_for "API secret"; echo ]] .. SECRET .. [[;
        wait_for "is in"; } >typed &
      timeout 60 script -qefc "chainlink-streams profile add typed" screen <typed >/dev/null
      cat screen; chainlink-streams profile show typed
      sed -n '/^.typed.$/,$p' chainlink-streams/profiles.ini | grep -c "^api_secret = ]] .. SECRET .. [[$"]]
    local output, code = run(script)
    assert.are.equal(0, code, output)
    assert.matches("the%-key%-0003", output)
    assert.matches("api_secret +kept, not shown\n1\n", output)
  end)

  it("are refused where the command is used wrongly", function()
    for words, wrong in pairs {
      ["profile"] = "expected profile add, list, show or remove",
      ["profile frob x"] = "expected profile add, list, show or remove",
      ["profile add"] = "the profile's name is missing",
      ["profile add 'a b'"] = "'a b' is no name for a profile",
      ["profile show x y"] = "'y' is one too many",
      ["profile list x"] = "'x' is one too many",
      ["profile show x --network testnet"] = "%-%-network belongs to profile add",
      ["profile add x --format json"] = "%-%-format belongs to profile list and profile show",
      ["profile remove x -o x"] = "%-%-output belongs to profile list and profile show",
      ["profile list --format csv"] = "%-%-format must be table, json, not 'csv'",
      ["profile show x"] = "there is no profile 'x'",
      ["profile remove x"] = "there is no profile 'x'",
      ["profile add x"] = "the API key is missing: standard input has",
      ["profile add x --rest-url ftp://x <<EOF\nk\ns\nEOF\n"] = "option 'rest_url' must be a URL",
    } do
      local output, code = run("chainlink-streams " .. words .. (words:find "<<" and "" or " </dev/null"))
      assert.are.equal(2, code, words .. ": " .. output)
      assert.matches(wrong, output)
    end
  end)

  it("may not contradict each other in the environment", function()
    local both = "export CHAINLINK_STREAMS_API_KEY=a DATA_STREAMS_API_KEY=b; chainlink-streams feeds"
    local output, code = run(both)
    assert.are.equal(2, code)
    assert.matches("CHAINLINK_STREAMS_API_KEY and DATA_STREAMS_API_KEY differ", output)
  end)
end)
