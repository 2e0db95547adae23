-- SPDX-License-Identifier: MIT
-- What is suggested for a mistyped word.

local project = require "spec.support.project"
local suggest = require "chainlink.suggest"

describe("the distance of two words", function()
  it("counts what is inserted, left out, replaced and swapped", function()
    local cases = { { 0, "", "" }, { 0, "latest", "latest" }, { 3, "", "abc" }, { 1, "lates", "latest" },
      { 1, "lattest", "latest" }, { 1, "lotest", "latest" }, { 1, "laetst", "latest" }, { 1, "fromat", "format" },
      { 3, "kitten", "sitting" }, { 2, "ca", "acx" }, { 6, "abcdef", "uvwxyz" } }
    for _, case in ipairs(cases) do
      assert.equal(case[1], suggest.distance(case[2], case[3]), case[2] .. " " .. case[3])
      assert.equal(case[1], suggest.distance(case[3], case[2]), case[3] .. " " .. case[2])
    end
  end)
end)

describe("the words that are meant", function()
  local commands = { "feeds", "latest", "at", "history", "stream", "replay", "serve", "decode", "verify", "version" }

  it("are near", function()
    local cases = { lates = "latest", strem = "stream", histroy = "history", feed = "feeds", LATEST = "latest",
      hist = "history", veri = "verify", ta = "at", serv = "serve", ver = "verify version", e = "", xyz = "",
      frobnicate = "", [""] = "", x = "" }
    for word, meant in pairs(cases) do
      assert.equal(meant, table.concat(suggest.nearest(word, commands), " "), word)
    end
  end)

  it("are the nearest, three at most, each once, by the alphabet", function()
    assert.same({ "ETH/USD" }, suggest.nearest("ETH/UDS", { "ETH/EUR", "BTC/USD", "ETH/USD", "ETH/USDT", "ETH/USD" }))
    assert.same({ "ab1", "ab2", "ab3" }, suggest.nearest("abx", { "ab4", "ab3", "ab2", "ab3", "ab1" }))
  end)

  it("are texts, and a word of any length is answered", function()
    assert.same({ "feeds" }, suggest.nearest("feed", { 7, false, "feeds" }))
    assert.same({}, suggest.nearest(("a"):rep(65), { ("a"):rep(65) }))
    assert.same({}, suggest.nearest(("a"):rep(64), { ("a"):rep(66) }))
  end)

  it("are as near as a quarter of the word, one letter at least, and never all of it", function()
    local function nearest(word, ...) return table.concat(suggest.nearest(word, { ... }), " ") end
    assert.equal("abcdefgh", nearest("abcdefxy", "abcdefgh"))
    assert.equal("", nearest("abcdefx", "abcdzfgy"))
    assert.equal("", nearest("abcxyz", "abcdef"))
    assert.equal("b", nearest("ab", "b"))
    assert.equal("", nearest("a", "b"))
    assert.equal("abcdef", nearest("ab", "abcdef")) -- begins with it
    assert.equal("abcdef", nearest("ab", "xb", "abcdef"))
  end)

  it("are of so many letters, and of so many words, at most", function()
    local longest = ("a"):rep(64)
    assert.same({ longest }, suggest.nearest(longest, { longest }))
    assert.same({}, suggest.nearest(("a"):rep(63), { ("a"):rep(65) }))
    assert.same({ "ab1", "ab2", "ab3" }, suggest.nearest("abx", { "ab1", "ab2", "ab3", "ab4", "ab5", "ab6" }))
  end)

  it("are asked for", function()
    assert.equal("did you mean latest?", suggest.question("lates", commands))
    assert.equal("did you mean --verify or --version?", suggest.question("ver", commands, "--"))
    assert.equal("did you mean ab1, ab2 or ab3?", suggest.question("abx", { "ab1", "ab2", "ab3" }))
    assert.is_nil(suggest.question("xyz", commands))
  end)
end)

describe("the command line", function()
  it("asks what was meant by a command or an option that there is not", function()
    local cases = {
      { "lates", "there is no command 'lates': did you mean latest? chainlink-streams --help lists them" },
      { "xyz", "there is no command 'xyz'; chainlink-streams --help lists them" },
      { "'a\27b'", "there is no command 'a?b'; chainlink-streams --help lists them" },
      { "decode --fromat json", "there is no option --fromat: did you mean --format?" },
      { "decode -format json", "there is no option -format: did you mean --format?" },
      { "decode --frobnicate", "there is no option --frobnicate" }, { "version -x x", "there is no option -x" } }
    for _, case in ipairs(cases) do
      local output, status = project.run(project.lua .. " bin/chainlink-streams " .. case[1])
      assert.equal("chainlink-streams: " .. case[2] .. "\n", output)
      assert.equal(2, status)
    end
  end)
end)
