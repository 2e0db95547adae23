-- SPDX-License-Identifier: MIT
-- chainlink.openresty's table of feeds, with what only nginx runs in its place.

local anew = require "spec.support.anew"
local check = require "spec.support.failure"

describe("the feeds of nginx", function()
  local openresty, restore, dictionaries, started, real

  before_each(function()
    dictionaries, started, real = {}, {}, rawget(_G, "ngx")
    local ngx = { shared = dictionaries }
    rawset(_G, "ngx", ngx)
    openresty, restore = anew.load("chainlink.openresty", { ngx = ngx,
      ["chainlink.openresty.options"] = { read = function(given) return { name = given } end },
      ["chainlink.openresty.feed"] = { start = function(values)
        started[#started + 1] = values.name
        return "feed of " .. values.name
      end } })
  end)
  after_each(function()
    restore()
    rawset(_G, "ngx", real)
  end)

  it("are one of each dictionary", function()
    assert.equal("feed of prices", openresty.new "prices")
    assert.equal("feed of others", openresty.new "others")
    assert.equal("feed of prices", openresty.get "prices")
    assert.equal("feed of others", openresty.get "others")
    local err = check.raised("ConfigError", {}, openresty.new, "prices")
    assert.equal("lua_shared_dict prices has a feed already", err.message)
    assert.same({ "prices", "others" }, started)
  end)

  it("that are missing raise, and say what to do", function()
    local function message(name) return check.raised("ConfigError", {}, openresty.get, name).message end
    local make = "; make it in init_worker_by_lua"
    assert.equal('this Lua state has no feed "prices" (a string)' .. make, message "prices")
    assert.equal("this Lua state has no feed 5" .. make, message(5))
    local keys = {}
    dictionaries.prices = { get = function(_, key) return keys[key] end }
    dictionaries[5] = dictionaries.prices
    assert.equal('this Lua state has no feed "prices" (a string)' .. make, message "prices")
    for _, key in ipairs { "chainlink:leader", "chainlink:0:leader" } do
      keys = { [key] = "somebody" }
      assert.equal('this Lua state has no feed "prices" (a string): lua_code_cache is off, so that each request has a '
        .. "state of its own", message "prices")
      assert.equal("this Lua state has no feed 5" .. make, message(5))
    end
  end)

  it("are in nginx only", function()
    restore()
    local ok, err = pcall(anew.load, "chainlink.openresty", { ngx = false })
    assert.is_false(ok)
    check.says(err, "chainlink.openresty works in nginx only: this is none")
  end)
end)
