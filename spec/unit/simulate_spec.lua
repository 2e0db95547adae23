-- SPDX-License-Identifier: MIT
-- The options of `chainlink-streams simulate`: each wrong one has its message and exit code; nothing is started.

local cli = require "chainlink.cli"
local raises = require("spec.support.refusal").raises

local unpack = table.unpack or unpack -- luacheck: ignore 113 143

local FEED = "0x0003" .. ("0"):rep(60)

-- Runs the command with its error output caught.
local function run(arguments)
  local real, text = io.stderr, {}
  io.stderr = { write = function(_, ...) -- luacheck: ignore 122
    for _, part in ipairs { ... } do text[#text + 1] = part end
  end }
  local ok, code = pcall(cli.main, { "simulate", unpack(arguments) })
  io.stderr = real -- luacheck: ignore 122
  assert(ok, code)
  return code, (table.concat(text):gsub("^chainlink%-streams: ", ""):gsub("\n$", ""))
end

describe("simulate", function()
  local wrong = {
    { { "word" }, "'word' is not an option" },
    { { "-p" }, "there is no option -p" },
    { { "--bogus" }, "there is no option --bogus" },
    { { "--port" }, "--port needs a value: N" },
    { { "--port", "65536" }, "--port must be a whole number from 0 to 65535, not '65536'" },
    { { "--port=x" }, "--port must be a whole number from 0 to 65535, not 'x'" },
    { { "--plain=yes" }, "--plain takes no value" },
    { { "--host", "" }, "--host must not be empty" },
    { { "--feeds", "0" }, "--feeds must be a whole number from 1 to 1000, not '0'" },
    { { "--rate", "1.5" }, "--rate must be a whole number from 1 to 1000, not '1.5'" },
    { { "--rate-limit", "-1" }, "--rate-limit must be a number from 0 to 1000000, not '-1'" },
    { { "--origins", "9" }, "--origins must be a whole number from 1 to 8, not '9'" },
    { { "--signers", "5" }, "--signers must not be more than --oracles, 4" },
    {
      { "--certificate", "golden" },
      "--certificate must be good, wrong_host, expired, not_yet_valid, self_signed, not 'golden'",
    },
    { { "--feed", "0x12" }, "--feed: '0x12' is no feed id (0x and 64 hex digits)" },
    { { "--feed", FEED, "--feeds", "2" }, "--feed and --feeds exclude each other" },
    { { "--replay", "f", "--feed", FEED }, "--replay serves the recording's feeds; leave out --feed and --feeds" },
    { { "--key", "only" }, "--key must be KEY:SECRET or KEY:SECRET:FEED,FEED, not 'only'" },
    { { "--key", "a:b:" }, "--key must be KEY:SECRET or KEY:SECRET:FEED,FEED, not 'a'" },
    { { "--key", "a:b:0x12" }, "--key: '0x12' is no feed id (0x and 64 hex digits)" },
    { { "--key", ("k"):rep(513) .. ":s" }, "--key: a key and its secret are up to 512 visible ASCII characters" },
    { { "--key", "k:" .. ("s"):rep(513) }, "--key: a key and its secret are up to 512 visible ASCII characters" },
    { { "--key", "k:\127" }, "--key: a key and its secret are up to 512 visible ASCII characters" },
    { { "--key", "a:b:" .. FEED .. ",0x12" }, "--key: '0x12' is no feed id (0x and 64 hex digits)" },
    { { "--feed", FEED:sub(1, -2) .. "g" },
      ("--feed: '%sg' is no feed id (0x and 64 hex digits)"):format(FEED:sub(1, -2)) },
    { { "--fast", "1" }, "--fast must be COUNT:RATE, each up to 1000, not '1'" },
    { { "--fast", "1001:1" }, "--fast must be COUNT:RATE, each up to 1000, not '1001:1'" },
    { { "--fast", "1:0" }, "--fast must be COUNT:RATE, each up to 1000, not '1:0'" },
    { { "--fast", "1:1001" }, "--fast must be COUNT:RATE, each up to 1000, not '1:1001'" },
    { { "--replay", "f", "--feeds", "2" }, "--replay serves the recording's feeds; leave out --feed and --feeds" },
    { { "--ms-feeds", "1001" }, "--ms-feeds must be a whole number from 0 to 1000, not '1001'" },
    { { "--outage", "5" }, "--outage must be FROM:TO, not '5'" },
    { { "--outage", "6:5" }, "--outage: FROM is later than TO" },
    { { "--key", "a\n:b" }, "--key: a key and its secret are up to 512 visible ASCII characters" },
  }
  for _, case in ipairs(wrong) do
    it("refuses " .. table.concat(case[1], " "):gsub("\n", "\\n"), function()
      local code, message = run(case[1])
      assert.equal(case[2], message)
      assert.equal(2, code)
    end)
  end

  local limits = {
    port = { 0, 65535 }, origins = { 1, 8 }, seed = { 0, 2 ^ 53 }, feeds = { 1, 1000 }, rate = { 1, 1000 },
    irregular = { 0, 1000 }, presign = { 0, 3600 }, oracles = { 1, 31 }, signers = { 1, 31 },
    ["rate-limit"] = { 0, 1000000 }, ["clock-offset"] = { -1e9, 1e9 },
  }
  for name, limit in pairs(limits) do
    it(("takes --%s from %.0f to %.0f"):format(name, limit[1], limit[2]), function()
      local other = name == "signers" and "--oracles=31" or name == "oracles" and "--signers=1" or "--plain"
      for _, value in ipairs(limit) do -- what is refused then is another option, looked at later
        local _, message = run { ("--%s=%.0f"):format(name, value), other, "--fast", "x" }
        assert.equal("--fast must be COUNT:RATE, each up to 1000, not 'x'", message)
      end
      for i, step in ipairs { -1, 2 } do
        local text = ("%.0f"):format(limit[i] + step)
        local code, message = run { "--" .. name, text, other }
        assert.equal(("--%s must be a %s from %.0f to %.0f, not '%s'"):format(name,
          name:find "-" and "number" or "whole number", limit[1], limit[2], text), message)
        assert.equal(2, code)
      end
    end)
  end

  it("never repeats a secret", function()
    local _, message = run { "--key", "name:hush-hush:" }
    assert.falsy(message:find("hush", 1, true))
  end)

  local failures = {
    { { "--fault", "on=rest" }, "fault: action must be given" },
    { { "--replay", "/nonexistent/file" }, "cannot open /nonexistent/file: No such file or directory" },
    { { "--certificate-dir", "/nonexistent" }, "cannot write /nonexistent/ca.pem: No such file or directory" },
    { { "--feed", "0x0063" .. ("0"):rep(60) }, "has schema version 99, only 1 to 14 are known" },
    { { "--key", "a:b:" .. FEED }, "is none of the service's feeds" },
    { { "--presign", "3600", "--rate", "1000", "--feeds", "1000" }, "needs more than 1 GiB" },
  }
  for _, case in ipairs(failures) do
    it("fails with " .. table.concat(case[1], " "), function()
      local code, message = run(case[1])
      assert.truthy(message:find(case[2], 1, true), message)
      assert.equal(1, code)
    end)
  end

  describe("hands to the service", function()
    local service = require "chainlink.simulator"

    -- The settings that the service would be started with.
    local function settings_for(arguments)
      local real, given = service.run, nil
      function service.run(settings)
        given = settings
        return "stopped"
      end
      local code, words = run(arguments)
      service.run = real
      assert.same({ 0, "" }, { code, words })
      given.on_ready = nil
      return given
    end

    it("what holds without options", function()
      assert.same({ host = "127.0.0.1", port = 0, certificate = "good", origins = { "o1", "o2" },
        keys = { { key = "simulator-key", secret = "simulator-secret" } }, seed = 1, rate = 1, fast_count = 0,
        fast_rate = 1, ms_count = 0, outages = {}, irregular = 0, presign = 0, oracles = 4, signers = 2,
        rate_limit = 10, clock_offset = 0, feeds = 26, speed = 0 }, settings_for {})
    end)

    it("the largest of everything", function()
      local key, secret = ("k"):rep(512), ("s"):rep(512)
      local given = settings_for { "--port", "65535", "--origins", "8", "--key", key .. ":" .. secret,
        "--feeds", "1000", "--rate", "1000", "--ms-feeds", "1000",
        "--fast", "1000:1000", "--irregular", "1000", "--presign", "3600",
        "--oracles", "31", "--signers", "31", "--rate-limit", "1000000", "--clock-offset", "-1000000000", "--seed",
        "9007199254740992" }
      assert.same({ { key = key, secret = secret } }, given.keys)
      assert.same({ "o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8" }, given.origins)
      assert.same({ 1000, 1000 }, { given.fast_count, given.fast_rate })
      assert.same({ 65535, 1000, 1000, 1000, 1000, 3600, 31, 31, 1000000, -1e9, 2 ^ 53 }, { given.port, given.feeds,
        given.rate, given.ms_count, given.irregular, given.presign, given.oracles, given.signers, given.rate_limit,
        given.clock_offset, given.seed })
    end)

    it("texts as they are, and those that repeat in their order", function()
      local other = FEED:sub(1, -2) .. "1"
      local given = settings_for { "--host", "127.0.0.2", "--plain", "--certificate", "expired", "--certificate-dir",
        "/d", "--key", "a:b", "--key", "c:d:" .. FEED .. "," .. other, "--feed", FEED, "--feed", other, "--fault",
        "on=rest,action=cut", "--fault", "on=ws,action=drop", "--exit-with-parent", "--outage", "100:100", "--outage",
        "1970-01-01:4294967295" }
      assert.same({ { key = "a", secret = "b" }, { key = "c", secret = "d", feeds = { FEED, other } } }, given.keys)
      assert.same({ FEED, other }, given.feed_ids)
      assert.same({ "on=rest,action=cut", "on=ws,action=drop" }, given.faults)
      assert.same({ "100:100", "0:4294967295" }, given.outages)
      assert.same({ "127.0.0.2", true, "expired", "/d", true }, { given.host, given.plain, given.certificate,
        given.certificate_dir, given.exit_with_parent })
      assert.same({ "/f", "/g" }, settings_for({ "--replay", "/f", "--replay", "/g" }).replay)
      given = settings_for { "--replay", "/f", "--speed", "0.5", "--loop" }
      assert.same({ 0.5, true }, { given.speed, given.loop })
    end)

    it("everything that it needs", function()
      local function all() return settings_for { "--plain" } end
      for _, name in ipairs { "port", "seed", "rate", "fast_count", "fast_rate", "ms_count", "irregular", "presign",
        "oracles", "signers", "rate_limit", "clock_offset", "speed", "feeds" } do
        local given = all()
        given[name] = nil
        raises(("option '%s' must be a number"):format(name), service.run, given)
      end
      for _, name in ipairs { "host", "certificate" } do
        local given = all()
        given[name] = nil
        raises(("option '%s' must be a text"):format(name), service.run, given)
      end
      local given = all()
      raises("function expected", service.run, given)
      given.keys = { { key = "k", secret = "s" }, { key = "k" } }
      raises("keys[2] needs a key and a secret", service.run, given)
      given.keys = { { secret = "s" } }
      raises("keys[1] needs a key and a secret", service.run, given)
      given.keys = { 5 }
      raises("table expected", service.run, given)
      given.keys = nil
      raises("table expected", service.run, given)
      given.origins = {}
      raises("origins must be a list of names", service.run, given)
      given.origins = nil
      raises("origins must be a list of names", service.run, given)
      raises("table expected", service.run)
    end)

    it("what makes the exit code", function()
      local real = service.run
      for _, ending in ipairs { { "stopped", nil, 0, "" }, { "interrupted", nil, 130, "" },
        { nil, "why", 1, "why" } } do
        function service.run() return ending[1], ending[2] end
        local code, words = run {}
        assert.same({ ending[3], ending[4] }, { code, words })
      end
      service.run = real
    end)

    it("times of an outage that are of now", function()
      local now = os.time()
      local from, to = settings_for({ "--outage", "now-60:now" }).outages[1]:match "^(%d+):(%d+)$"
      assert.equal(60, to - from)
      assert.is_true(tonumber(to) >= now)
    end)
  end)
end)
