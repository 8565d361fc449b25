// The loadable module as a host sees it, through its descriptor alone.
#include <dlfcn.h>
#include <gmock/gmock.h>

#include <string>

#include "mdp/transport/plugin_abi.hpp"

namespace mdp::transport {
namespace {

const plugin_descriptor* load() {
  void* module = dlopen(MDP_PLUGIN_DIR "/mdp_transport_netsim.so", RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    ADD_FAILURE() << dlerror();
    return nullptr;
  }
  return static_cast<const plugin_descriptor*>(dlsym(module, plugin_symbol));
}

TEST(PluginModule, DescriptorMatchesThisBuild) {
  const plugin_descriptor* d = load();
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(d->struct_bytes, sizeof(plugin_descriptor));
  EXPECT_EQ(d->abi_version, plugin_abi_version);
  EXPECT_STREQ(d->abi_tag, MDP_ABI_TAG);
  EXPECT_STREQ(d->kind, "transport");
  EXPECT_STREQ(d->name, "netsim");
  EXPECT_EQ(d->unavailable(), nullptr);
  EXPECT_THAT(d->options_schema, testing::HasSubstr("\"links\""));
}

TEST(PluginModule, MovesADatagram) {
  const plugin_descriptor* d = load();
  ASSERT_NE(d, nullptr);
  char error[200] = "";
  fabric* f = d->create_fabric(R"({"links": {"default": {"delay_us": 3}}})", error, sizeof error);
  ASSERT_NE(f, nullptr) << error;
  {
    buffer::block_pool pool({.block_bytes = f->caps().rx_block_bytes, .block_count = 4});
    const auto a = f->open({{}, "a", &pool});
    const auto b = f->open({{}, "b", &pool});
    const buffer::slice part = buffer::slice::acquire(pool).subslice(0, 5);
    const buffer::tx_datagrams item{b->local_address(), {&part, 1}, 5};
    EXPECT_EQ(a->send({&item, 1}), 1u);
    EXPECT_EQ(f->advance(never), 1);
    buffer::rx_datagrams out;
    EXPECT_EQ(b->poll({&out, 1}, {.deadline = never}), 1u);
    EXPECT_EQ(out.data.size(), 5u);
    EXPECT_EQ(ns_of(b->now()), 3000);
  }
  d->destroy_fabric(f);
}

TEST(PluginModule, RefusesBadOptionsWithAReason) {
  const plugin_descriptor* d = load();
  ASSERT_NE(d, nullptr);
  char error[200] = "";
  EXPECT_EQ(d->create_fabric(R"({"links": {"w": {"loss_pct": 120}}})", error, sizeof error),
            nullptr);
  EXPECT_STREQ(error, "/links/w/loss_pct: 120 is above 100");
  char cut[8] = "";
  EXPECT_EQ(d->create_fabric(R"({"links": {"w": {"loss_pct": 120}}})", cut, sizeof cut), nullptr);
  EXPECT_STREQ(cut, "/links/");
}

}  // namespace
}  // namespace mdp::transport
