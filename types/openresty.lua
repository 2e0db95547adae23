---@meta chainlink.openresty
-- SPDX-License-Identifier: MIT
-- Declarations of chainlink.openresty, for nginx' Lua module. Nothing here runs.

---@class chainlink.Openresty
local openresty = {}

---Starts a feed in this worker; in init_worker_by_lua. Wrong options, and a lua_shared_dict that is too small, raise a
---ConfigError.
---@param options chainlink.FeedOptions
---@return chainlink.WorkerFeed
function openresty.new(options) end

---The feed of that lua_shared_dict, in any phase of a worker. Without one it raises a ConfigError.
---@param dict string
---@return chainlink.WorkerFeed
function openresty.get(dict) end

---@class chainlink.FeedOptions
---@field dict string the name of a lua_shared_dict: 8 KiB for each feed and each event kept
---@field feed_ids? string[] these, or `feeds`
---@field feeds? string[] ids and names; the worker that leads looks the names up
---@field client? chainlink.Options over those from the environment
---@field stream? chainlink.StreamOptions
---@field owner? "one"|"each" which worker has a stream, default "one"
---@field history? integer how many events are kept, default 256

---@class chainlink.WorkerFeed
local WorkerFeed = {}

---The latest report, in any phase; nil when there is none yet.
---@param feed_id string
---@return chainlink.Report?
function WorkerFeed:latest(feed_id) end

---The next report; in a phase that may yield.
---@param feed_id string
---@param timeout? number seconds, without it as long as it takes
---@return chainlink.Report? report
---@return chainlink.Error? err a TimeoutError, or a StreamClosedError as the worker is about to end
---@return_overload chainlink.Report
---@return_overload nil, chainlink.Error
function WorkerFeed:wait(feed_id, timeout) end

---Answers the request with server-sent events; returns when the browser or the worker goes.
---@param feed_ids? string[] default: all of the feed
function WorkerFeed:sse(feed_ids) end

---Answers the request with the metrics of client and stream, as OpenMetrics text that is a second old at most.
function WorkerFeed:answer_metrics() end

---Answers a request for the live page, one of its files or its events, by the last part of the path.
function WorkerFeed:answer_page() end

---Answers the request with how the stream is: 200 when up or degraded, 503 when down; JSON with status and reasons.
function WorkerFeed:answer_health() end

return openresty
