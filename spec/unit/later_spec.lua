-- SPDX-License-Identifier: MIT
-- Modules that are loaded when a member of theirs is first asked for.

local later = require "chainlink.later"

describe("a module for later", function()
  local NAME, loads = "spec.made.for.later", nil

  before_each(function()
    loads = 0
    package.preload[NAME] = function()
      loads = loads + 1
      return { one = 1, two = function() return 2 end }
    end
  end)
  after_each(function() package.preload[NAME], package.loaded[NAME] = nil, nil end)

  it("is loaded with its first member, which is kept", function()
    local members = later(NAME)
    assert.equal(0, loads)
    assert.equal(1, members.one)
    assert.equal(1, loads)
    package.loaded[NAME] = { one = "another", two = "another", three = 3 }
    assert.equal(1, members.one)
    assert.equal("another", members.two)
    assert.is_nil(members.four)
    assert.equal(3, members.three)
    assert.equal(1, loads)
  end)
end)
