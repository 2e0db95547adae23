-- SPDX-License-Identifier: MIT
-- Text of others as a terminal, a log or a JSON parser is given it.

local cjson = require "cjson"
local text = require "chainlink.text"

-- U+00A0, U+061B, U+061D, U+200D, U+2010, U+2027, U+202F, U+2065, U+206A
local NEIGHBOURS = "\194\160\216\155\216\157\226\128\141\226\128\144\226\128\167\226\128\175\226\129\165\226\129\170"

describe("plain text", function()
  local cases = {
    ["keeps ASCII"] = { "ETH/USD ~!", "ETH/USD ~!" },
    ["keeps letters of others"] = { "é € 中 😀", "é € 中 😀" },
    ["keeps the neighbours of what steers"] = { NEIGHBOURS, NEIGHBOURS },
    ["has no control characters"] = { "a\27[31mb\0c\127d\n\r\t", "a?[31mb?c?d???" },
    ["has none of the second set"] = { "a\194\128b\194\155c\194\159d", "a?b?c?d" },
    ["has none of them as a byte alone"] = { "a\155b\128c", "a?b?c" },
    ["does not turn the writing"] = { "a\226\128\174b\226\129\166c\226\129\169d\216\156e\226\128\142\226\128\143f",
      "a?b?c?d?e??f" },
    ["has no other line ends"] = { "a\226\128\168b\226\128\169c\226\128\170", "a?b?c?" },
    ["has no characters that are cut"] = { "a\226\130", "a??" },
    ["has none that are written too long"] = { "\192\155\224\130\155", "?????" },
    ["takes a cut one for what it is"] = { "\226a\194", "?a?" },
    ["has none beyond Unicode"] = { "\245\128\128\128", "????" },
  }
  for what, case in pairs(cases) do
    it(what, function() assert.are.equal(case[2], text.plain(case[1])) end)
  end

  it("is made of any value", function()
    assert.are.equal("5", text.plain(5))
    assert.are.equal("true", text.plain(true))
  end)
end)

describe("JSON", function()
  it("says the same without what steers", function()
    for _, value in ipairs { "a\27[2J\0\127b", "\194\155\226\128\174\216\156", "é😀", 'a"b\\c/', "" } do
      local json = text.json_string(value)
      assert.are.equal(json, text.plain_json(json))
      assert.are.equal(value, cjson.decode(json))
    end
  end)

  it("is ASCII for what steers, by code", function()
    assert.are.equal('"\\u001b\\u009b\\u202e\\u061c"', text.json_string "\27\194\155\226\128\174\216\156")
    assert.are.equal('{"a":"\\u0085 é"}', text.plain_json '{"a":"\194\133 é"}')
  end)

  it("has the replacement character for bytes that are no UTF-8", function()
    assert.are.equal('"a\\ufffdb"', text.json_string "a\155b")
  end)
end)
