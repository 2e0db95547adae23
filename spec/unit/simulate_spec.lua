-- SPDX-License-Identifier: MIT
-- The options of `chainlink-streams simulate`: each wrong one has its message and exit code; nothing is started.

local cli = require "chainlink.cli"

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
end)
