/* SPDX-License-Identifier: MIT
 * Every cap of the library, in one place. */
#ifndef CDS_LIMITS_H
#define CDS_LIMITS_H

#define CDS_MAX_ANSWER_BYTES (16u * 1024 * 1024) /* a REST answer's body, after decompression */
#define CDS_MAX_MESSAGE_BYTES (1024u * 1024)     /* a WebSocket message, all fragments together */
#define CDS_MAX_HEADER_BYTES (64u * 1024)        /* all headers of one answer */
#define CDS_MAX_REPORT_BYTES (512u * 1024)       /* a full report; half a message, as hex doubles it */
#define CDS_MAX_UNSIGNED_BYTES 1024              /* of a full report that is to verify: beside head, blob, signatures */
#define CDS_MAX_JSON_DEPTH 16
#define CDS_MAX_SIGNATURES 31 /* of the verifier contract; rawVs has room for 32 */
#define CDS_MAX_FEEDS 1000    /* feeds on one stream or in one bulk request */
#define CDS_MAX_ORIGINS 8
#define CDS_MAX_ORIGIN_TEXT 64 /* an origin's name, with its final 0 */
#define CDS_MAX_CONNECTIONS 20 /* of one stream; what the service allows an account */
#define CDS_MAX_LINKS 60       /* connections, and those about to take over from them while feeds change */
#define CDS_MAX_PAGE_LIMIT 10000
#define CDS_MAX_QUEUE_SIZE (1u << 20)
#define CDS_DEFAULT_QUEUE_BYTES (64u * 1024 * 1024) /* of a stream's reports that wait or are held */
#define CDS_MAX_EVENTS 256                          /* log lines and status changes waiting for the script */
/* A report from further ahead of our clock is rejected: in one that was let in, a feed would see nothing newer until
 * its time came. The service itself refuses the signature of a clock that is 5 seconds off. */
#define CDS_MAX_FUTURE_SECONDS 30
#define CDS_MAX_RETRY_AFTER 3600  /* seconds; a service that asks for more is not believed */
#define CDS_MAX_KEEP_SECONDS 3600 /* for which an answer is kept, whatever Cache-Control says */
#define CDS_MAX_QUERY_BYTES 4096  /* of a discovery request, encoded */
#define CDS_MAX_CREDENTIAL_BYTES 512
#define CDS_MAX_TOKEN_BYTES 4096 /* of the candlestick service */
#define CDS_MAX_TRADE_BYTES 4096 /* an object of its stream of trades */
#define CDS_MAX_TRADES 4096      /* that wait for the script */
#define CDS_MAX_URL_BYTES 2048
#define CDS_MAX_REDIS_BYTES (64u * 1024 * 1024) /* of a server's answer that is not whole, and that wait to be sent */
#define CDS_MAX_REDIS_NESTING 7           /* arrays in each other: who reads and frees them calls itself for each */
#define CDS_MAX_REDIS_ELEMENTS (1u << 20) /* of all arrays of an answer */

#endif
