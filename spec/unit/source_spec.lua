-- SPDX-License-Identifier: MIT
-- chainlink.source: each kind by its own module, which another rock brings.

local check = require "spec.support.failure"
local source = require "chainlink.source"

describe("a source", function()
  local loaded, preload

  before_each(function()
    loaded, preload = {}, {}
    for _, kind in ipairs { "redis", "kafka" } do
      local name = "chainlink.source." .. kind
      loaded[name], preload[name] = package.loaded[name] or false, package.preload[name] or false
      package.loaded[name] = nil
    end
  end)
  after_each(function()
    for name, was in pairs(loaded) do package.loaded[name], package.preload[name] = was or nil, preload[name] or nil end
  end)

  it("is opened by the module of its kind", function()
    for _, kind in ipairs { "redis", "kafka" } do
      package.loaded["chainlink.source." .. kind] = function(...) return kind, ... end
      assert.same({ kind, "options" }, { source[kind] "options" })
    end
  end)

  it("that is not installed raises, and says what brings it and why it is not there", function()
    for _, kind in ipairs { "redis", "kafka" } do
      package.preload["chainlink.source." .. kind] = function() error("the first line\nthe second", 0) end
      local err = check.raised("ConfigError", {}, source[kind], {})
      check.says(err, ("chainlink.source.%s comes with the rock chainlink-streams-relay, and cannot be loaded: ")
        :format(kind))
      check.says(err, "the first line")
      assert.is_nil(err.message:find("\n", 1, true))
    end
  end)
end)
