-- SPDX-License-Identifier: MIT
-- The commands that ask once, replay and doctor, around clients of the spec's: what they ask and write.

local chainlink = require "chainlink"
local cjson = require "cjson"
local command_output = require "spec.support.command_output"
local commands = require "chainlink.cli.commands"
local core = require "chainlink.core"
local doctor = require "chainlink.doctor"
local doctor_command = require "chainlink.cli.doctor"
local errors = require "chainlink.errors"
local failure = require "spec.support.failure"
local jsonl = require "chainlink.cli.files.jsonl"
local options = require "chainlink.cli.options"
local project = require "spec.support.project"
local recording = require "spec.support.recording"
local replay = require "chainlink.cli.replay"
local session = require "chainlink.cli.session"
local sample = require "spec.support.sample"

local T = 1700000000
local A, B = recording.id(3, 1), recording.id(3, 2)
local run = command_output.of

local function report(second, number) return assert(chainlink.decode(recording.report(3, number or 1, second))) end

local function usage(words, ...)
  local ok, err = pcall(run, ...)
  assert.is_false(ok)
  assert.is_true(options.is_usage_error(err))
  assert.equal(words, err.message)
end

-- The values of members by their name, of lines of JSON.
local function members(text, name)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = cjson.decode(line)[name] end
  return list
end

describe("the command feeds", function()
  local client = {
    get_feeds = function() return { { id = A, version = 3, name = "BTC" } } end,
    discover = function(_, asked)
      return { { id = B, name = "found", asset_name = table.concat(asked.base_asset or {}, "+") .. "/"
        .. table.concat(asked.asset_class or {}, "+") .. "/" .. tostring(asked.hidden) } }
    end,
  }

  it("lists those of the key, or those that are searched for", function()
    assert.same({ A }, members(run(commands.feeds.run, client, { format = "json" }, {}), "id"))
    local text = run(commands.feeds.run, client, { format = "json", asset = "BTC,ETH", class = "Crypto" }, {})
    assert.same({ B }, members(text, "id"))
    assert.same({ "BTC+ETH/Crypto/true" }, members(text, "asset_name"))
    assert.same({ "//true" }, members(run(commands.feeds.run, client, { format = "json", search = "FOUND" }, {}),
      "asset_name"))
    local lines, words = run(commands.feeds.run, client, { format = "json", search = "nowhere" }, {})
    assert.same({ "", "chainlink-streams: no feed fits\n" }, { lines, words })
    assert.equal("", (select(2, run(commands.feeds.run, client, { format = "json" }, {}))))
  end)

  it("takes no argument, and raises why it has none", function()
    usage("feeds takes no argument, got 'x'", commands.feeds.run, client, {}, { "x" })
    local err = errors.new("NetworkError", "x")
    local function none() return nil, err end
    local broken = { get_feeds = none, discover = none }
    for _, values in ipairs { {}, { search = "x" } } do
      local ok, raised = pcall(run, commands.feeds.run, broken, values, {})
      assert.same({ false, err }, { ok, raised })
    end
  end)
end)

describe("the command latest", function()
  it("asks for each feed, in order", function()
    local client = { get_feeds = function() return {} end,
      get_latest_report = function(_, id) return report(T, tonumber(id:sub(-1))) end }
    assert.same({ B, A }, members(run(commands.latest.run, client, { format = "json" }, { B, A }), "feed_id"))
    assert.equal("1.0E-18\n", (run(commands.latest.run, client, { template = "1.0E-18\\n" }, { A })))
    local text = run(commands.latest.run, client, { format = "table" }, { A })
    assert.truthy(text:find("^version +3\nfeed_id +" .. A))
  end)
end)

describe("the command at", function()
  local missing = {}
  local client = {
    get_feeds = function() return { { id = A, name = "BTC", version = 3 }, { id = B, name = "ETH", version = 3 } } end,
    get_report = function(_, id, time) return report(time, tonumber(id:sub(-1))) end,
    get_reports = function(_, ids, time)
      assert.is_true(#ids > 1)
      local list = {}
      for i, id in ipairs(ids) do list[i] = report(time, tonumber(id:sub(-1))) end
      return list, missing
    end,
  }
  local function at(...) return run(commands.at.run, client, { format = "json" }, { ... }) end

  it("asks for one feed, or all at once", function()
    local text, words, code = at("1700000005", A)
    assert.same({ T + 5 }, members(text, "observations_timestamp"))
    assert.same({ "", 0 }, { words, code })
    text, words, code = at("1700000005", A, B)
    assert.same({ A, B }, members(text, "feed_id"))
    assert.same({ "", 0 }, { words, code })
  end)

  it("tells what has none", function()
    missing = { recording.id(3, 9), B }
    local _, words, code = at("1700000005", A, B)
    assert.same({ ("chainlink-streams: %s has no report at 1700000005\nchainlink-streams: ETH %s has no report at "
      .. "1700000005\n"):format(missing[1], B), 1 }, { words, code })
    missing = {}
  end)

  it("has the columns of its feeds", function()
    local text = run(commands.at.run, client, { format = "csv" }, { "1700000005", A, B })
    assert.matches("^version,feed_id,.*,bid,ask.*\n.*BTC.*\n.*ETH", text)
  end)

  it("needs a time and a feed", function()
    usage("at needs a time and a feed", commands.at.run, client, {}, { "1700000005" })
    usage("at needs a time and a feed", commands.at.run, client, {}, {})
  end)
end)

describe("the command decode", function()
  local function decode(kind, ...) return run(commands.decode.run, nil, { format = kind }, { ... }) end

  it("shows one report in full, several as a table", function()
    local text, _, code = decode("table", sample.v3)
    assert.truthy(text:find("^version +3\nfeed_id "))
    assert.equal(0, code)
    text = decode("table", sample.v3, sample.v8, sample.v3)
    assert.matches("^observed +feed +v +price", text)
    assert.equal(4, select(2, text:gsub("\n", "\n")))
    assert.same({ 3, 8 }, members((decode("json", sample.v3, sample.v8)), "version"))
  end)

  it("has the columns of all reports in CSV", function()
    local text = decode("csv", sample.v3, sample.v8)
    assert.equal(3, select(2, text:gsub("\n", "\n")))
    assert.matches("^version,feed_id,.*,fields", text)
    assert.matches("^version,feed_id,.*bid", (decode("csv", sample.v3)))
  end)

  it("tells what is none, and shows the rest", function()
    local text, words, code = decode("json", sample.v3, "0x12", sample.v8)
    assert.same({ 3, 8 }, members(text, "version"))
    assert.equal(1, code)
    assert.truthy(#words > 0)
  end)
end)

describe("the command version", function()
  it("tells versions", function()
    assert.equal("chainlink-streams " .. chainlink._VERSION .. "\n", (run(commands.version.run, nil, {}, {})))
    usage("version takes no argument, got 'x'", commands.version.run, nil, {}, { "x" })
    local told = cjson.decode((run(commands.version.run, nil, { json = true }, {})))
    assert.equal("chainlink-streams", told.name)
    assert.equal(chainlink._VERSION, told.version)
    assert.equal(rawget(_G, "jit") and jit.version or _VERSION, told.lua) -- luacheck: ignore 113
    local versions = core.versions()
    for name, version in pairs(told.libraries) do assert.equal(versions[name], version) end
    assert.is_string(told.libraries.openssl)
  end)
end)

describe("the command replay", function()
  local HEAD = '{"format":"chainlink-streams-recording","version":1,"feeds":[]}'
  local LOST = '{"event":"lost","feed":"%s","from_ms":%d000,"to_ms":%d000,"time":%d000,"reason":"x"}'
  local folder, remove, path
  before_each(function()
    folder, remove = project.folder()
    path = folder .. "/one"
    local lines = { HEAD }
    for second = 1, 4 do
      lines[#lines + 1] = jsonl.line(report(T + second))
    end
    lines[#lines + 1] = LOST:format(A, T + 10, T + 12, T + 13)
    lines[#lines + 1] = "rubbish\nrubbish\n"
    project.write(path, table.concat(lines, "\n"))
  end)
  after_each(function() remove() end)

  local function play(values, ...)
    local all = { format = "json", speed = "max" }
    for name, value in pairs(values) do all[name] = value end
    return run(replay.run, nil, all, { path, ... })
  end

  local function seconds(text)
    local list = members(text, "observations_timestamp")
    for i, second in ipairs(list) do list[i] = second - T end
    return list
  end

  it("gives its reports, and says what it had", function()
    local text, words, code = play {}
    assert.same({ 1, 2, 3, 4 }, seconds(text))
    assert.matches("# 4 reports, 1 holes, 2 lines that cannot be read, 0 unverified\n$", words)
    assert.equal(1, code)
    assert.equal("", (select(2, play { quiet = true })))
  end)

  it("gives those of a time, and so many", function()
    assert.same({ 2, 3 }, seconds((play { from = tostring(T + 2), to = tostring(T + 3) })))
    local text, _, code = play { count = 2 }
    assert.same({ 1, 2 }, seconds(text))
    assert.equal(0, code) -- what comes behind was not read
    assert.same({}, seconds((play { feed = { B } })))
    assert.same({ 1, 2, 3, 4 }, seconds((play { feed = { B, A } })))
  end)

  it("gives those that are signed, where it is asked", function()
    local signers = {}
    for i = 1, 4 do signers[i] = "0x" .. tostring(i):rep(40) end
    project.write(folder .. "/signers", cjson.encode { ["0x" .. ("0a"):rep(32)] = { signers = signers, f = 1 } })
    local text, words, code = play { signers = folder .. "/signers" }
    assert.equal("", text)
    assert.matches("# 0 reports, 1 holes, 2 lines that cannot be read, 4 unverified\n$", words)
    assert.equal(1, code)
    failure.raised("ConfigError", {}, play, { signers = folder .. "/none" })
  end)

  it("comes as fast as it is told", function()
    assert.same({ 1, 2, 3, 4 }, seconds((play { speed = "1000000" })))
    for _, wrong in ipairs { "0", "fast", "1e3", "-1", "1.2.3", ("9"):rep(400) } do
      usage("--speed must be a number above 0, or max, not '" .. wrong .. "'", replay.run, nil,
        { format = "json", speed = wrong }, { path })
    end
  end)

  it("needs one, which can be read", function()
    usage("replay needs a recording", replay.run, nil, { format = "json" }, {})
    local ok, err = pcall(play, {}, folder .. "/none")
    assert.is_false(ok)
    assert.is_true(chainlink.is_error(err))
  end)

  it("is whole where all could be read", function()
    project.write(path, HEAD .. "\n" .. jsonl.line(report(T)) .. "\n")
    local _, words, code = play {}
    assert.same({ "# 1 reports, 0 holes, 0 lines that cannot be read, 0 unverified\n", 0 }, { words, code })
  end)
end)

describe("the command doctor", function()
  local examine = doctor.examine
  after_each(function() doctor.examine = examine end)

  -- What is asked of the doctor, and what is written of a finding that it tells.
  local function ask(values, failures, rest)
    local asked
    doctor.examine = function(question)
      asked = question
      question.tell { status = "warn", check = "tls", message = "words", advice = "do" }
      return failures or 0
    end
    local text, _, code, flushed = run(doctor_command.run, nil, values, rest or {})
    assert.equal(1, flushed)
    return asked, code, text
  end

  it("writes what is found, and fails where something does", function()
    local asked, code, text = ask({}, 0, { A })
    assert.equal("warn  tls          words; do\n", text)
    assert.same({ 0, 10, A }, { code, asked.seconds, asked.feeds[1] })
    asked, code, text = ask({ json = true, seconds = 3 }, 1)
    assert.equal('{"status":"warn","check":"tls","message":"words","advice":"do"}\n', text)
    assert.same({ 1, 3 }, { code, asked.seconds })
    assert.equal(1, (select(2, ask({}, 2))))
    assert.is_nil(asked.signers)
  end)

  it("names where the credentials are from", function()
    local client_options = session.client_options
    finally(function() session.client_options = client_options end)
    local found = {}
    session.client_options = function() return { api_key = "k" }, found end
    for words, values in pairs { ["profile p"] = { profile = "p" }, ["--secret-command"] = { ["secret-command"] = "x" },
      ["profile p and --secret-fd"] = { profile = "p", ["secret-fd"] = 3 }, [""] = {} } do
      assert.equal(words, ask(values).from)
    end
    found = { api_key = "KEY", api_secret = "SECRET" }
    assert.equal("KEY and SECRET", ask({}).from)
    assert.equal("k", ask({}).options.api_key)
    found = { api_secret = "SECRET" }
    assert.equal("SECRET", ask({}).from)
    found = { api_key = "KEY" }
    assert.equal("KEY and --secret-fd", ask({ ["secret-fd"] = 3 }).from)
    session.client_options = client_options
    assert.equal("--secret-command", ask({ ["secret-command"] = "echo s" }).from:match "%-%-.*$")
    local folder, remove = project.folder()
    project.write(folder .. "/signers", cjson.encode { ["0x" .. ("0a"):rep(32)] = { signers = { "0x" .. ("1"):rep(40),
      "0x" .. ("2"):rep(40), "0x" .. ("3"):rep(40), "0x" .. ("4"):rep(40) }, f = 1 } })
    assert.truthy(ask({ signers = folder .. "/signers" }).signers)
    failure.raised("ConfigError", {}, ask, { signers = folder .. "/none" })
    remove()
  end)
end)
