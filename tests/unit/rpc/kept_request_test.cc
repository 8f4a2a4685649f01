#include "rpc/kept_request.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

#include "credcache/v1/authenticate.pb.h"

namespace credcache {
namespace {

using Request = KeptRequest<v1::AuthenticateRequest>;

TEST(KeptRequestTest, KeepsItsMemoryForTheNextWithoutThePassword) {
  const std::string secret = "s3cret-words";  // short enough to lie within the message's own memory
  const v1::AuthenticateRequest* first = nullptr;
  const char* password = nullptr;
  {
    Request request;
    request->mutable_password()->set_password(secret);
    first = request.get();
    password = request->password().password().data();
  }
  EXPECT_NE(std::memcmp(password, secret.data(), secret.size()), 0);
  Request next;
  EXPECT_EQ(next.get(), first);
  EXPECT_FALSE(next->has_password());
}

TEST(KeptRequestTest, TwoAtOnceShareNothing) {
  Request request;
  request->mutable_password()->set_username("alice");
  {
    Request other;
    EXPECT_NE(other.get(), request.get());
    other->mutable_password()->set_username("bob");
    std::thread([] { EXPECT_FALSE(Request()->has_password()); }).join();
  }
  EXPECT_EQ(request->password().username(), "alice");
}

TEST(KeptRequestTest, TakesMoreThanItKeeps) {
  KeptRequest<v1::BatchAuthenticateRequest> batch;
  for (int i = 0; i < 4096; ++i) batch->add_requests()->mutable_password()->set_username(std::string(100, 'a'));
  EXPECT_EQ(batch->requests_size(), 4096);
}

}  // namespace
}  // namespace credcache
