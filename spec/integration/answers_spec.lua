-- SPDX-License-Identifier: MIT
-- Answers of the service that are well-formed HTTP and not what was asked for, and what is made of good ones.

local answers = require "spec.support.answers"
local chainlink = require "chainlink"
local check = require "spec.support.failure"
local sample = require "spec.support.sample"

local ID, OTHER = sample.feed_id(3), sample.feed_id(8)

local function json_of(id, full_report)
  return ('{"feedID":"%s","fullReport":"%s"}'):format(id, full_report)
end

describe("an answer", function()
  local server, client

  setup(function()
    server = answers.start()
    client = chainlink.client { api_key = "key", api_secret = "hush", proxy = false, max_retries = 0,
      rate_limit = false, circuit_breaker = false, rest_url = "http://127.0.0.1:" .. server.port }
  end)

  teardown(function()
    client:close()
    server:stop()
  end)

  local function say(body, status) server:say(answers.http(status or "200 OK", "", body)) end

  describe("with feeds", function()
    it("gives their ids, versions and whatever else it tells", function()
      say(('{"feeds":[{"feedID":"%s","name":"A","decimals":8,"note":null},{"feedID":"0X%s"}],"more":1}'):format(ID,
        OTHER:sub(3):upper()))
      assert.are.same({ { id = ID, version = 3, name = "A", decimals = 8, resolution = "s" },
        { id = OTHER, version = 8, resolution = "s" } }, client:get_feeds())
      say '{"feeds":[]}'
      assert.are.same({}, client:get_feeds())
    end)

    local wrong = {
      ["{"] = "Expected", ["{}"] = 'it has no member "feeds"',
      ['{"feeds":5}'] = 'it has no member "feeds"', ['{"feeds":[5]}'] = "feed 1 has no valid feedID",
      ['{"feeds":[{"feedID":"' .. ID .. '"},{"feedID":"0x03"}]}'] = "feed 2 has no valid feedID",
      ['{"feeds":[{"feedID":"' .. ID .. '"},{"name":"A"}]}'] = "feed 2 has no valid feedID",
      ['{"feeds":[{"feedID":7}]}'] = "feed 1 has no valid feedID",
      ['{"feeds":' .. ("["):rep(16) .. ("]"):rep(16) .. "}"] = "nest",
    }
    for body, words in pairs(wrong) do
      it("is refused: " .. body:sub(1, 30), function()
        say(body)
        local err = check.failure("DecodeError", { expected = "a feed list", retryable = false }, client:get_feeds())
        check.says(err, "the list of feeds is not as expected: ")
        check.says(err, words)
      end)
    end
  end)

  describe("with reports", function()
    it("names the feeds that have none", function()
      say('{"reports":[' .. json_of(ID, sample.v3) .. "]}")
      local reports, missing = client:get_reports({ OTHER, ID, sample.feed_id(4) }, 1700000001)
      assert.are.equal(1, #reports)
      assert.are.equal(ID, reports[1].feed_id)
      assert.are.same({ OTHER, sample.feed_id(4) }, missing)
    end)

    it("leads to the next page, by the service's word or past its last second", function()
      say('{"reports":[' .. json_of(ID, sample.v3) .. '],"nextPageTimestamp":1700000005}')
      local page = assert(client:get_report_page(ID, 1700000000))
      assert.are.equal(1, #page.reports)
      assert.are.equal(1700000005, page.next_page_timestamp)
      say('{"reports":[' .. json_of(ID, sample.v3) .. "]}")
      page = assert(client:get_report_page(ID, 1700000000))
      assert.are.equal(page.reports[1].observations_timestamp + 1, page.next_page_timestamp)
      say '{"reports":[]}'
      assert.are.same({ reports = {} }, client:get_report_page(ID, 1700000000))
    end)
  end)

  it("is asked for in pages of 500, or of so many", function()
    say '{"reports":[]}'
    for _, limit in ipairs { 500, 7 } do
      local url
      local asking = chainlink.client { api_key = "key", api_secret = "hush", proxy = false,
        rest_url = "http://127.0.0.1:" .. server.port, on_response = function(response) url = response.url end }
      assert.is_nil(asking:reports(ID, 1700000000, 1700000005, limit ~= 500 and limit or nil)())
      asking:close()
      assert.matches("startTimestamp=1700000000&limit=" .. limit .. "$", url)
    end
  end)

  describe("that is an error", function()
    local function message(body)
      say(body, "400 Bad Request")
      return check.failure("APIError", { status = 400 }, client:get_latest_report(ID)).message
    end

    it("tells the service's own words", function()
      local plain = message ""
      assert.are.equal(plain .. ": no such feed", message '{"message":"no such feed","error":"x"}')
      assert.are.equal(plain .. ": no such feed", message '{"error":"no such feed"}')
      assert.are.equal(plain .. ": no such feed", message '{"error":{"message":"no such feed"}}')
      assert.are.equal(plain .. ": no such  feed", message [[{"error":"no\u0000such\u009b feed"}]])
      assert.are.equal(plain .. ": " .. ("x"):rep(200), message('{"error":"' .. ("x"):rep(201) .. '"}'))
      for _, none in ipairs { '{"error":""}', '{"error":5}', '{"error":{"message":{}}}', "[]", "no", '"no"' } do
        assert.are.equal(plain, message(none))
      end
    end)
  end)
end)
