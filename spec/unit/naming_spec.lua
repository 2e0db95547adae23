-- SPDX-License-Identifier: MIT
-- Feeds by id, by a name of the list of feeds and by the catalogue, with a client that is a table.

local check = require "spec.support.failure"
local errors = require "chainlink.errors"
local naming = require "chainlink.naming"
local sample = require "spec.support.sample"

local ONE, TWO = sample.feed_id(3), sample.feed_id(8)

local function id_of(number) return ("0x0003%060x"):format(number) end

-- Raises as refuse must: an error object whose message is what is said.
local function refuse(format, ...) errors.raise("ConfigError", format:format(...)) end

local function failing(retryable)
  return errors.new("NetworkError", retryable and "cut" or "refused", { retryable = retryable })
end

describe("feeds that are named", function()
  local listed, catalogue, asked, list_error, catalogue_error, client

  before_each(function()
    listed, catalogue, asked, list_error, catalogue_error = {}, {}, {}, nil, nil
    client = {
      get_feeds = function(self)
        assert.equal(client, self)
        asked[#asked + 1] = "list"
        if list_error then return nil, list_error end
        return listed
      end,
      discover = function(self, filters)
        assert.equal(client, self)
        assert.same({ hidden = true }, filters)
        asked[#asked + 1] = "catalogue"
        if catalogue_error then return nil, catalogue_error end
        return catalogue
      end }
  end)

  local function feeds(arguments, wants_names)
    local ids, known = naming.feeds(client, arguments, wants_names, refuse)
    return ids, known, table.concat(asked, " ")
  end

  local function refused(words, ...)
    return check.says(check.raised("ConfigError", {}, naming.feeds, client, { ... }, false, refuse), words)
  end

  it("are ids at once, in small letters, where no name is wanted", function()
    local ids, known, asked_for = feeds { ONE:upper(), TWO }
    assert.same({ ONE, TWO }, ids)
    assert.same({}, known)
    assert.equal("", asked_for)
  end)

  it("have the names of the list where those are wanted", function()
    listed = { { id = ONE, name = "ETH/USD" }, { id = TWO, name = 5 } }
    local ids, known, asked_for = feeds({ ONE, TWO }, true)
    assert.same({ ONE, TWO }, ids)
    assert.same({ [ONE] = "ETH/USD" }, known)
    assert.equal("list", asked_for)
  end)

  it("are found in the list, in capitals or not, among ids", function()
    listed = { { id = ONE, name = "ETH/USD" }, { id = TWO, name = "BTC/USD" }, { id = "0x07" } }
    local ids, known, asked_for = feeds { "0x99", "btc/usd", "Eth/Usd" }
    assert.same({ "0x99", TWO, ONE }, ids)
    assert.same({ [ONE] = "ETH/USD", [TWO] = "BTC/USD" }, known)
    assert.equal("list", asked_for)
  end)

  it("are refused where the list has two of the name", function()
    listed = { { id = ONE, name = "ETH/USD" }, { id = TWO, name = "eth/usd" } }
    local err = refused("", "ETH/usd")
    assert.equal("more than one feed is named 'ETH/usd': give the id", err.message)
  end)

  it("are found in the catalogue, which is asked for once", function()
    listed = { { id = ONE, name = "ETH/USD" } }
    catalogue = { { id = "0x01", name = "one" }, { id = "0x02", name = "TWO" }, { id = "0x03", base_asset = "A",
      quote_asset = "B" } }
    local ids, known, asked_for = feeds { "two", "one", "eth/usd", "a/b" }
    assert.same({ "0x02", "0x01", ONE, "0x03" }, ids)
    assert.same({ ["0x02"] = "TWO", ["0x01"] = "one", [ONE] = "ETH/USD" }, known)
    assert.equal("list catalogue", asked_for)
  end)

  it("keep the name of the list where the catalogue tells none", function()
    listed = { { id = ONE, name = "the list's" } }
    catalogue = { { id = ONE, base_asset = "A", quote_asset = "B" } }
    local _, known = feeds { "A/B" }
    assert.same({ [ONE] = "the list's" }, known)
  end)

  it("are found by base and quote, where one alone of them is live", function()
    local past, future = os.time() - 3600, os.time() + 3600
    local function feed(id, more)
      local out = { id = id, name = "feed " .. id, base_asset = "ETH", quote_asset = "USD" }
      for name, value in pairs(more or {}) do out[name] = value end
      return out
    end
    catalogue = { feed(id_of(1), { status = "staging" }), feed(id_of(2), { decommissioned_at = past }),
      feed(id_of(3), { status = "LIVE", decommissioned_at = future }), feed(id_of(4), { quote_asset = "EUR" }),
      feed(id_of(5), { base_asset = "BTC" }), { id = id_of(6), base_asset = "ETH" },
      { id = id_of(7), base_asset = "BTC" } }
    assert.same({ id_of(3), id_of(5) }, (feeds { "eth/usd", "BTC/USD" }))
    catalogue = { feed(id_of(1), { status = "staging" }), feed(id_of(2)) }
    assert.same({ id_of(2) }, (feeds { "eth/usd" }))
    catalogue = { feed(id_of(1), { status = "staging" }) }
    refused("more than one feed, or none that is live, fits 'eth/usd': give an id\n", "eth/usd")
    catalogue = { feed(id_of(2), { decommissioned_at = os.time() }) } -- gone by now
    refused("none that is live", "eth/usd")
    for _, wrong in ipairs { "eth", "eth/", "/usd", "eth/usd/x", "usd/eth" } do refused("no feed is named", wrong) end
  end)

  it("may be gone or staged where the name is exactly theirs, and no other has it", function()
    catalogue = { { id = id_of(1), name = "A/B", status = "staging" }, { id = id_of(2), base_asset = "A",
      quote_asset = "B" } }
    assert.same({ id_of(1) }, (feeds { "a/b" }))
    catalogue[3] = { id = id_of(3), name = "a/B" }
    assert.same({ id_of(3) }, (feeds { "a/b" }))
    catalogue[4] = { id = id_of(4), name = "a/b" }
    refused("more than one feed", "a/b")
  end)

  -- ---- what is refused ----

  it("are told, all that are live or all, when several fit", function()
    catalogue = {
      { id = ONE, name = "A\27%d", schema_version = 5, status = "live", base_asset = "A", quote_asset = "B" },
      { id = TWO, base_asset = "A", quote_asset = "B" },
      { id = "0x01", status = "gone", base_asset = "A", quote_asset = "B" } }
    local err = refused("", "A/B")
    assert.equal("more than one feed, or none that is live, fits 'A/B': give an id\n"
      .. ("  %s  v5  A?%%d  live\n  %s  v8    "):format(ONE, TWO), err.message)
    for _, feed in ipairs(catalogue) do feed.status = "gone" end
    catalogue[3].id = sample.feed_id(99)
    err = refused("", "A/B")
    local all = ("  %s  v5  A?%%d  gone\n  %s  v8    gone\n  %s  v99    gone"):format(ONE, TWO, sample.feed_id(99))
    assert.equal("more than one feed, or none that is live, fits 'A/B': give an id\n" .. all, err.message)
  end)

  it("are told up to twenty", function()
    local function lines(count)
      catalogue = {}
      for i = 1, count do
        catalogue[i] = { id = ONE, name = "a" .. i, schema_version = 3, base_asset = "A", quote_asset = "B" }
      end
      local list = {}
      for line in refused("", "A/B").message:gmatch "[^\n]+" do list[#list + 1] = line end
      return list
    end
    local list = lines(20)
    assert.equal(21, #list)
    assert.truthy(list[21]:find("a20", 1, true))
    list = lines(23)
    assert.equal(22, #list)
    assert.truthy(list[21]:find("a20", 1, true))
    assert.equal("  and 3 more", list[22])
  end)

  it("are suggested, of the list and of the catalogue, in words that harm no terminal", function()
    listed = { { id = ONE, name = "ETH/USD" }, { id = TWO } }
    catalogue = { { id = "0x01", name = "ETH/EUR" } }
    local tail = "`chainlink-streams feeds` lists those that your key may read"
    assert.equal("no feed is named 'ETH/UST': did you mean ETH/USD? " .. tail, refused("", "ETH/UST").message)
    assert.equal("no feed is named 'ETH/EU': did you mean ETH/EUR? " .. tail, refused("", "ETH/EU").message)
    assert.equal("no feed is named 'nothing like it'; " .. tail, refused("", "nothing like it").message)
    listed = { { id = ONE, name = "ETH\27USD" } }
    assert.equal("no feed is named 'ETH\27UST': did you mean ETH?USD? " .. tail, refused("", "ETH\27UST").message)
  end)

  -- ---- failures ----

  it("are not looked for when the list fails and may be had again", function()
    list_error = failing(true)
    assert.equal(list_error, check.raised("NetworkError", {}, naming.feeds, client, { "A" }, false, refuse))
    assert.same({ "list" }, asked)
  end)

  it("are looked for in the catalogue when the key may not have the list", function()
    list_error = failing(false)
    catalogue = { { id = "0x01", name = "A" } }
    local ids, known, asked_for = feeds { "A" }
    assert.same({ "0x01" }, ids)
    assert.same({ ["0x01"] = "A" }, known)
    assert.equal("list catalogue", asked_for)
  end)

  it("raise the error of the list when there is no catalogue either", function()
    list_error, catalogue_error = failing(false), errors.new("APIError", "no catalogue")
    assert.equal(list_error, check.raised("NetworkError", {}, naming.feeds, client, { "A" }, false, refuse))
  end)

  it("raise the error of the catalogue where that may be had again", function()
    catalogue_error = failing(true)
    assert.equal(catalogue_error, check.raised("NetworkError", {}, naming.feeds, client, { "A" }, false, refuse))
    assert.same({ "list", "catalogue" }, asked)
  end)

  it("are not known where the key may not have the catalogue", function()
    listed = { { id = ONE, name = "ETH/USD" } }
    catalogue_error = errors.new("AuthenticationError", "not yours")
    refused("no feed is named 'ETH/UST': did you mean ETH/USD?", "ETH/UST")
  end)
end)

describe("feeds that are kept", function()
  it("are those that are wanted, in their order", function()
    local list = { { id = 1 }, { id = 2 }, { id = 3 } }
    assert.same({ { id = 1 }, { id = 3 } }, naming.keep(list, function(feed) return feed.id ~= 2 end))
    assert.equal(3, #list)
  end)
end)
