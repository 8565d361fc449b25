/* The C interface of MDP: the calls of mdp/runtime/node.hpp for programs in C and for bindings.
 *
 *   mdp_options options;
 *   mdp_options_init(&options, sizeof options);
 *   options.local = "127.0.0.1:0";
 *   char error[256];
 *   mdp_node* node = mdp_open(&options, error, sizeof error);
 *   mdp_peer peer;
 *   mdp_connect(node, "127.0.0.1:4433", &peer);
 *   mdp_send_options how;
 *   mdp_send_options_init(&how, sizeof how);
 *   how.wants = MDP_WANT_DELIVERED;
 *   mdp_send(node, peer, "hello", 5, &how, NULL);
 *   size_t n = mdp_poll(node, events, 16, 1000000);
 *
 * Threads: a node belongs to one thread, unless mdp_options::threads gives it threads of its own:
 * then any thread may call it, several at once, except mdp_close(). No state is shared between nodes.
 * Errors: a status, never an exception; mdp_error() has a sentence about the last call of the
 * calling thread that failed with MDP_FAILED or MDP_INVALID. Times are nanoseconds of the
 * node's own monotonic clock. Text is UTF-8, ended by a zero; whoever gives a buffer gets text that
 * fits, cut short if need be. Structures begin with their size, so that they may grow. */
#ifndef MDP_H
#define MDP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mdp_node mdp_node;
typedef uint32_t mdp_peer;    /* of one node */
typedef uint64_t mdp_message; /* of one node and peer */

typedef enum mdp_status {
  MDP_OK = 0,
  MDP_QUEUE_FULL = 1,      /* backpressure: mdp_poll() or mdp_wait_writable(), then again */
  MDP_TOO_LARGE = 2,       /* more than mdp_message_bytes_max() */
  MDP_UNKNOWN_PEER = 3,    /* never known, or forgotten since */
  MDP_UNKNOWN_MESSAGE = 4, /* no such message, or it is final already */
  MDP_TOO_LATE = 5,        /* to cancel: the peer has the message whole */
  MDP_BAD_OPTION = 6,      /* a send option is out of its range */
  MDP_BLACKLISTED = 7,
  MDP_NOT_SUPPORTED = 8,
  MDP_CLOSED = 9,
  MDP_INVALID = 10, /* an argument is malformed: mdp_error() says which */
  MDP_FAILED = 11   /* mdp_error() says why */
} mdp_status;

/* A word for a status, an event kind or a message state; never NULL. */
const char* mdp_status_name(mdp_status status);

typedef struct mdp_options {
  size_t struct_size;
  const char* transport;         /* a plugin's name; NULL: "socket" */
  const char* transport_options; /* a JSON object; NULL: none */
  const char* plugin_directory;  /* searched first; NULL: only the usual places */
  const char* local;             /* "127.0.0.1:4433", "[::1]:0", or several ports of one node:
                                    "127.0.0.1:4433,[::1]:4433"; NULL: the transport's default */
  const char* config;            /* "key=value, key=value", or a JSON object; NULL: all defaults */
  uint64_t seed;                 /* 0: the system's entropy; else unlike that of any peer */
  uint64_t spin_ns;              /* busy-poll so long before sleeping */
  const char* threads;           /* where the node works: NULL or "inline": inside mdp_poll(), on the
                                    caller's thread; "single", "pair", "pipeline", "sharded:4": on
                                    threads of its own; then any thread may call, several at once */
  const char* idle;              /* what those do with nothing to do: NULL or "park" (sleep), "yield",
                                    "spin" */
  const char* cpus;              /* where those run: "0,1", one each in order; NULL: anywhere */
  int confirm_on_request;        /* not 0: mdp_confirm() and mdp_reject() answer, not mdp_poll() */
  const char* node_key;          /* 32 hexadecimal digits, the same at each start of this node: its
                                    peers then learn with proof that it forgot them; NULL: none */
} mdp_options;
/* `struct_size` is sizeof(mdp_options) as the caller knows it. */
void mdp_options_init(mdp_options* options, size_t struct_size);

/* A node, or NULL; then `error` (may be NULL) has one sentence. mdp_close() accepts NULL. It must
 * not be called before every message event of the node was released. */
mdp_node* mdp_open(const mdp_options* options, char* error, size_t error_size);
void mdp_close(mdp_node* node);
/* Ends the node's work in good order: from now on no message is taken (MDP_CLOSED); waits until every
 * message has its end, at most `timeout_ns`. What has none by then and asked for a confirmation is
 * reported MDP_UNKNOWN, and every session ends. Events stay for mdp_poll(). Not 0: everything had
 * its end. A node that is closed without it drops what it has not sent. */
int mdp_shutdown(mdp_node* node, uint64_t timeout_ns);
const char* mdp_error(void);

uint64_t mdp_now(mdp_node* node);
/* Of every port, separated by commas as in `local`. */
mdp_status mdp_local_address(const mdp_node* node, char* text, size_t size);
size_t mdp_message_bytes_max(const mdp_node* node);
/* Not 0: no message is queued, in flight or awaits a confirmation. */
int mdp_idle(const mdp_node* node);

/* Sending. */
enum { MDP_WANT_NOTHING = 0, MDP_WANT_RECEIVED = 1, MDP_WANT_DELIVERED = 2, MDP_WANT_BOTH = 3 };

typedef struct mdp_send_options {
  size_t struct_size;
  uint64_t context;              /* handed back in the events of this message */
  uint32_t wants;                /* MDP_WANT_… */
  uint16_t channel;              /* 0: unordered; 1..255: in order within the channel */
  uint8_t priority;              /* class 0 (first) .. 7; 4 by default */
  uint8_t idempotent;            /* not 0: may arrive twice, and so may go with the HELLO */
  uint64_t lifetime_ns;          /* 0: none; not received by then: given up, MDP_EXPIRED */
  uint64_t received_timeout_ns;  /* 0: none; the same, MDP_TIMED_OUT_RECEIVED */
  uint64_t delivered_timeout_ns; /* 0: none; needs MDP_WANT_DELIVERED; MDP_TIMED_OUT_DELIVERED */
} mdp_send_options;
void mdp_send_options_init(mdp_send_options* options, size_t struct_size);

/* Copies the payload. `options` NULL: the defaults; `id` may be NULL. */
mdp_status mdp_send(mdp_node* node, mdp_peer to, const void* payload, size_t size,
                    const mdp_send_options* options, mdp_message* id);

typedef struct mdp_part {
  const void* data;
  size_t size;
} mdp_part;
/* A message of one or more parts, joined in order, to one or more peers. */
typedef struct mdp_item {
  const mdp_peer* to;
  size_t to_count;
  const mdp_part* parts;
  size_t part_count;
  const mdp_send_options* options; /* NULL: the defaults */
} mdp_item;
typedef struct mdp_result {
  mdp_status status;
  mdp_message id; /* when the status is MDP_OK */
} mdp_result;
/* One to one, one to many, many to one, many each to its own, many each to many: results[k] belongs
 * to the k-th (item, peer) in that order. Stops where the results end; returns how many were
 * written. */
size_t mdp_send_batch(mdp_node* node, const mdp_item* items, size_t item_count, mdp_result* results,
                      size_t result_count);
/* Runs the node until `to` takes a message of `size` bytes; MDP_QUEUE_FULL when the time is over. */
mdp_status mdp_wait_writable(mdp_node* node, mdp_peer to, size_t size, uint64_t timeout_ns);
/* Gives a message up; its end is the event MDP_CANCELLED. */
mdp_status mdp_cancel(mdp_node* node, mdp_peer to, mdp_message id);

/* Where a message stands. */
typedef enum mdp_state {
  MDP_STATE_QUEUED = 0,
  MDP_STATE_SENT = 1,
  MDP_STATE_RECEIVED = 2,
  MDP_STATE_DELIVERED = 3,
  MDP_STATE_REJECTED = 4,
  MDP_STATE_CANCELLED = 5,
  MDP_STATE_EXPIRED = 6,
  MDP_STATE_TIMED_OUT_RECEIVED = 7,
  MDP_STATE_TIMED_OUT_DELIVERED = 8,
  MDP_STATE_UNKNOWN = 9,
  MDP_STATE_SETTLED = 10, /* final, too long ago to say how; or it wanted no confirmation */
  MDP_STATE_NONE = 11     /* no such message, or no such peer */
} mdp_state;
const char* mdp_state_name(mdp_state state);
mdp_state mdp_message_state(mdp_node* node, mdp_peer to, mdp_message id);
/* out[k] of ids[k]. */
void mdp_message_states(mdp_node* node, mdp_peer to, const mdp_message* ids, size_t count,
                        mdp_state* out);
/* The messages to a peer that are not final, oldest first; returns how many there are, which may be
 * more than `count`. */
size_t mdp_unresolved(mdp_node* node, mdp_peer to, mdp_message* ids, mdp_state* states,
                      size_t count);

/* Receiving. */
typedef enum mdp_event_kind {
  MDP_MESSAGE = 0,  /* a whole message; release it with mdp_release() */
  MDP_RECEIVED = 1, /* our message: the peer's stack has every packet of it */
  MDP_DELIVERED = 2,
  MDP_REJECTED = 3,
  MDP_CANCELLED = 4,
  MDP_EXPIRED = 5,
  MDP_TIMED_OUT_RECEIVED = 6,
  MDP_TIMED_OUT_DELIVERED = 7,
  MDP_UNKNOWN = 8,   /* the session was lost: its fate cannot be known */
  MDP_PEER_UP = 9,
  MDP_PEER_DOWN = 10, /* `reason` says why */
  MDP_PEER_MOVED = 11
} mdp_event_kind;
const char* mdp_event_kind_name(mdp_event_kind kind);

typedef struct mdp_event {
  mdp_event_kind kind;
  mdp_peer peer;
  mdp_message id;
  uint64_t context;    /* of our message */
  uint64_t time_ns;    /* message: arrival of its last packet; else when it became known */
  const void* payload; /* message: in a receive buffer, until mdp_release() */
  size_t size;
  uint16_t channel;
  int confirm;        /* message: its sender asked for `delivered` */
  const char* reason; /* MDP_PEER_DOWN; static */
  void* hold;         /* for mdp_release() */
} mdp_event;

/* Runs the node, waits at most `timeout_ns` for something to report, fills `events`; returns how
 * many. */
size_t mdp_poll(mdp_node* node, mdp_event* events, size_t count, uint64_t timeout_ns);
/* Gives a message's buffer back; may be called again, and for every kind of event. */
void mdp_release(mdp_event* event);
/* With confirm_on_request: the application took the message, or refuses it. Once each. */
mdp_status mdp_confirm(mdp_node* node, mdp_peer from, mdp_message id);
mdp_status mdp_reject(mdp_node* node, mdp_peer from, mdp_message id);

/* Peers. */
/* Begins a session with the node at `address` and pins it; MDP_PEER_UP or MDP_PEER_DOWN follows. */
mdp_status mdp_connect(mdp_node* node, const char* address, mdp_peer* peer);
/* Takes the pin away; the peer stays while it is active. */
mdp_status mdp_disconnect(mdp_node* node, mdp_peer peer);
/* From now on messages to the peer go by this algorithm: "fixed", "cubic", "swift", "bbr" or
 * "ledbat". */
mdp_status mdp_set_congestion_control(mdp_node* node, mdp_peer peer, const char* algorithm);
/* Drops whatever comes from `address` before any other work; a session with it ends. */
mdp_status mdp_blacklist(mdp_node* node, const char* address);
mdp_status mdp_unblacklist(mdp_node* node, const char* address);
/* MDP_UNKNOWN_PEER: nobody of that address is known. */
mdp_status mdp_find_peer(mdp_node* node, const char* address, mdp_peer* peer);

typedef enum mdp_peer_filter {
  MDP_PEERS_ALL = 0,
  MDP_PEERS_ACTIVE = 1,
  MDP_PEERS_CONNECTED = 2 /* pinned, active or not */
} mdp_peer_filter;
typedef struct mdp_peer_info {
  mdp_peer id;
  char address[64];
  int pinned;
  int active;
  uint64_t rtt_ns;
  uint64_t instance; /* fresh at each start of the peer's node; 0: not known yet */
} mdp_peer_info;
/* Returns how many there are, which may be more than `count`. */
size_t mdp_peers(mdp_node* node, mdp_peer_filter filter, mdp_peer_info* out, size_t count);
typedef struct mdp_peer_change {
  mdp_peer id;
  int active;
} mdp_peer_change;
/* Who became active or inactive since the last call; what does not fit comes the next time. */
size_t mdp_peer_changes(mdp_node* node, mdp_peer_change* out, size_t count);

/* Statistics as one JSON object; returns the bytes that it needs with its zero. */
size_t mdp_stats_json(const mdp_node* node, char* out, size_t size);
size_t mdp_peer_stats_json(mdp_node* node, mdp_peer peer, char* out, size_t size);
size_t mdp_active_stats_json(mdp_node* node, char* out, size_t size);
size_t mdp_transport_counts_json(const mdp_node* node, char* out, size_t size);
/* The same as "name=value,…", without counts of zero. docs/statistics.md has all names. */
size_t mdp_stats_text(const mdp_node* node, char* out, size_t size);
size_t mdp_peer_stats_text(mdp_node* node, mdp_peer peer, char* out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
