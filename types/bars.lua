---@meta
-- SPDX-License-Identifier: MIT
-- Declarations of chainlink.bars, chainlink.twap and chainlink.guard: docs/bars.md.

---A stream, a replay, a history, any function that gives reports, or reports behind a guard.
---@alias chainlink.ReportSource chainlink.Stream|chainlink.GuardedSource|fun(): chainlink.Report?

---@class chainlink.BarsOptions
---@field interval string|integer "1s", "5m", "4h", "1d", or whole seconds
---@field field? string default "price", the schema's main price
---@field repair? integer seconds that a bar may change after its end, default 900
---@field remember? integer reports of a feed that are remembered, default 65536
---@field gaps? boolean bars without reports too, default false

---@class chainlink.Bar
---@field feed_id string
---@field time integer Unix seconds, the bar's beginning
---@field interval integer seconds
---@field open? string exact decimal text; nil without reports, as the next three
---@field high? string
---@field low? string
---@field close? string
---@field count integer reports
---@field first_ms? integer when the first report was observed
---@field last_ms? integer when the last report was observed
---@field covered_ms integer milliseconds of it that reports are valid for
---@field coverage number the same as a share
---@field complete boolean the feed has a report from behind it
---@field revised boolean it was sent before

---@class chainlink.CountStats
---@field reports integer counted
---@field repeated integer not counted: counted before
---@field late integer not counted: too late
---@field unreadable integer not counted: without the field

---@class chainlink.BarsStats : chainlink.CountStats
---@field bars integer taken
---@field revised integer of these, sent before

---@class chainlink.Bars
local Bars = {}

---Counts a report.
---@param report chainlink.Report
---@return boolean? counted nil: the report has no such field
---@return "late"|"repeated"|chainlink.Error|nil reason why not, or a DecodeError
function Bars:push(report) end

---The next bar that is ready.
---@return chainlink.Bar?
function Bars:take() end

---The bar in progress, which stays there.
---@param feed_id string
---@return chainlink.Bar?
function Bars:current(feed_id) end

---Makes bars in progress ready.
---@param before? number Unix seconds: those that end by then
function Bars:flush(before) end

---@return chainlink.BarsStats
function Bars:stats() end

---A source of bars over a source of reports.
---@param source chainlink.ReportSource
---@return chainlink.BarSource
function Bars:over(source) end

---@class chainlink.BarSource
---@overload fun(): chainlink.Bar?
local BarSource = {}

---The next bar; waits, at most `timeout` seconds.
---@param timeout? number
---@return chainlink.Bar? bar
---@return chainlink.Error? err
---@return_overload chainlink.Bar
---@return_overload nil, chainlink.Error
function BarSource:read(timeout) end

---The next bar if one is ready.
---@return chainlink.Bar? bar
---@return chainlink.Error? err when the source is over
function BarSource:poll() end

---Closes the stream below.
function BarSource:close() end

---@class chainlink.TwapOptions
---@field window string|integer "30s", "1m", "1d", or whole seconds
---@field field? string default "price", the schema's main price
---@field remember? integer reports of a feed that are kept, default 131072

---@class chainlink.Average
---@field feed_id string
---@field window integer seconds
---@field average string exact decimal text of `raw`
---@field raw string an integer, `sum` divided by `covered_ms`, rounded toward zero
---@field sum string an integer, price times milliseconds
---@field covered_ms integer milliseconds of the window that reports are valid for
---@field coverage number the same as a share
---@field from_ms integer the window's first millisecond
---@field to_ms integer and its last
---@field count integer reports in it

---@class chainlink.Twap
local Twap = {}

---Counts a report.
---@param report chainlink.Report
---@return boolean? counted nil: the report has no such field
---@return "late"|"repeated"|chainlink.Error|nil reason why not, or a DecodeError
function Twap:push(report) end

---The average over the window that ends with the feed's newest report.
---@param feed_id string
---@return chainlink.Average?
function Twap:value(feed_id) end

---@return chainlink.CountStats
function Twap:stats() end

---A source of averages, one after each report that counts.
---@param source chainlink.ReportSource
---@return chainlink.AverageSource
function Twap:over(source) end

---@class chainlink.AverageSource
---@overload fun(): chainlink.Average?
local AverageSource = {}

---The next average; waits, at most `timeout` seconds.
---@param timeout? number
---@return chainlink.Average? average
---@return chainlink.Error? err
---@return_overload chainlink.Average
---@return_overload nil, chainlink.Error
function AverageSource:read(timeout) end

---The next average if one is ready.
---@return chainlink.Average? average
---@return chainlink.Error? err when the source is over
function AverageSource:poll() end

---Closes the stream below.
function AverageSource:close() end

---@alias chainlink.MarketStatus "unknown"|"closed"|"open"|"pre_market"|"regular_hours"|"post_market"|"overnight"

---@class chainlink.GuardOptions
---@field max_age? number seconds since the observations
---@field market? chainlink.MarketStatus|chainlink.MarketStatus[] statuses that pass
---@field deviation? string a share of the price that passed last, "0.5%"
---@field heartbeat? number seconds after which a report is due
---@field verify? chainlink.SignerRegistry|chainlink.SignerSet|false
---@field clock? fun(): number Unix seconds, for max_age

---@alias chainlink.HeldBack "unreadable"|"older"|"stale"|"market"|"paused"|"unmoved"|"unverified"

---@class chainlink.GuardStats
---@field passed integer
---@field unreadable integer held back, as the others
---@field older integer
---@field stale integer
---@field market integer
---@field paused integer
---@field unmoved integer
---@field unverified integer

---@class chainlink.Guard
local Guard = {}

---Does the report pass?
---@param report chainlink.Report
---@return boolean passes
---@return chainlink.HeldBack? reason
function Guard:check(report) end

---@return chainlink.GuardStats
function Guard:stats() end

---A source of the reports that pass.
---@param source chainlink.ReportSource
---@return chainlink.GuardedSource
function Guard:over(source) end

---@class chainlink.GuardedSource
---@overload fun(): chainlink.Report?
local GuardedSource = {}

---The next report that passes; waits, at most `timeout` seconds.
---@param timeout? number
---@return chainlink.Report? report
---@return chainlink.Error? err
---@return_overload chainlink.Report
---@return_overload nil, chainlink.Error
function GuardedSource:read(timeout) end

---The next report if one is there that passes.
---@return chainlink.Report? report
---@return chainlink.Error? err when the source is over
function GuardedSource:poll() end

---Closes the stream below.
function GuardedSource:close() end
