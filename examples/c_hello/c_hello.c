/* Two nodes in one process over real sockets, in C: the client sends to the server, waits until the
 * server's application has taken the message, and says what it counted. */
#include <stdio.h>
#include <string.h>

#include "mdp/mdp.h"

static mdp_node* open_node(void) {
  mdp_options options;
  char error[256] = "";
  mdp_node* node;
  mdp_options_init(&options, sizeof options);
  options.plugin_directory = MDP_PLUGINS;
  options.local = "127.0.0.1:0";
  options.config = "profile=lan, connect_timeout_ms=2000";
  node = mdp_open(&options, error, sizeof error);
  if (!node) fprintf(stderr, "c_hello: %s\n", error);
  return node;
}

/* Polls once; not 0 when `kind` was among the events. */
static int saw(mdp_node* node, mdp_event_kind kind) {
  mdp_event events[16];
  const size_t n = mdp_poll(node, events, 16, 1000000);
  size_t i;
  int found = 0;
  for (i = 0; i < n; ++i) {
    found = found || events[i].kind == kind;
    if (events[i].kind == MDP_MESSAGE)
      printf("server: got '%.*s'\n", (int)events[i].size, (const char*)events[i].payload);
    mdp_release(&events[i]);
  }
  return found;
}

static int talk(mdp_node* server, mdp_node* client) {
  char address[64];
  mdp_peer peer;
  mdp_message id;
  mdp_send_options how;
  mdp_status status;
  uint64_t give_up;
  mdp_local_address(server, address, sizeof address);
  status = mdp_connect(client, address, &peer);
  if (status != MDP_OK) {
    fprintf(stderr, "c_hello: %s: %s\n", mdp_status_name(status), mdp_error());
    return 1;
  }
  mdp_send_options_init(&how, sizeof how);
  how.wants = MDP_WANT_DELIVERED;
  how.delivered_timeout_ns = 4000000000u;
  status = mdp_send(client, peer, "hello from C", 12, &how, &id);
  if (status != MDP_OK) {
    fprintf(stderr, "c_hello: refused: %s\n", mdp_status_name(status));
    return 1;
  }
  give_up = mdp_now(client) + 5000000000u;
  while (mdp_now(client) < give_up) {
    saw(server, MDP_MESSAGE);
    if (saw(client, MDP_DELIVERED)) {
      printf("client: %s\n", mdp_state_name(mdp_message_state(client, peer, id)));
      return 0;
    }
  }
  fprintf(stderr, "c_hello: still %s after 5 s\n",
          mdp_state_name(mdp_message_state(client, peer, id)));
  return 1;
}

int main(void) {
  mdp_node* server = open_node();
  mdp_node* client = open_node();
  const int failed = !server || !client || talk(server, client);
  mdp_close(client);
  mdp_close(server);
  return failed;
}
