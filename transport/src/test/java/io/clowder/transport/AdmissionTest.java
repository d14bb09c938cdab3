// SPDX-License-Identifier: Apache-2.0
package io.clowder.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import org.junit.jupiter.api.Test;

class AdmissionTest {
  private static final TestNode N1 = TestNode.of("demo", "n1", "n1=127.0.0.1:1,n2=127.0.0.1:2");

  @Test
  void aMemberWhoMeansThisNodeMayIn() {
    assertEquals("", check(hello("demo", "n2", "n1")));
  }

  @Test
  void whoeverDialsMustBelongHere() {
    assertRefused("another cluster", hello("prod", "n2", "n1"));
    assertRefused("reached itself", hello("demo", "n1", "n2"));
    assertRefused("this is n1, not n3", hello("demo", "n2", "n3"));
    assertRefused("n9 is not a member", hello("demo", "n9", "n1"));
  }

  @Test
  void whoeverAnswersMustBeTheOneWhoWasDialled() {
    NodeId n2 = new NodeId("n2");
    assertEquals("", Admission.check(N1, n2, welcome("demo", "n2", "n1")));
    assertTrue(Admission.check(N1, n2, welcome("prod", "n2", "n1")).contains("another cluster"));
    assertTrue(Admission.check(N1, n2, welcome("demo", "n3", "n1")).contains("n3 answered"));
    assertTrue(Admission.check(N1, n2, welcome("demo", "n2", "n3")).contains("n2 answered"));
  }

  private static void assertRefused(String why, Greeting.Hello hello) {
    String reason = check(hello);
    assertTrue(reason.contains(why), reason);
  }

  private static String check(Greeting.Hello hello) {
    return Admission.check(N1, id -> N1.members().containsKey(id), hello);
  }

  private static Greeting.Hello hello(String cluster, String from, String to) {
    return new Greeting.Hello(cluster, new NodeId(from), 1, 2, new NodeId(to), Lane.MAIN);
  }

  private static Greeting.Welcome welcome(String cluster, String from, String to) {
    return new Greeting.Welcome(cluster, new NodeId(from), 1, 2, new NodeId(to));
  }
}
