// SPDX-License-Identifier: Apache-2.0
/**
 * A contract test for protocols. Whoever writes a {@link io.clowder.api.protocol.ConsensusProtocol}
 * makes it pass three things, each of which finds what the others do not:
 *
 * <ol>
 *   <li>The checks of {@link io.clowder.simulator.kit.ProtocolKit}: the laws of {@link
 *       io.clowder.api.protocol} one by one, on single cores and in small worlds. They take seconds
 *       and say what is wrong.
 *   <li>Seeds of whole clusters by {@link io.clowder.simulator.SeedRunner}, which go from segment
 *       to segment: on the protocol alone, and to and from each other one. They know nothing of the
 *       protocol and find what nobody has thought of.
 *   <li>Traces of the protocol's own, by {@link io.clowder.simulator.trace}: a claim of its paper
 *       each. Some mistakes take an order of events that no seed finds; figure 8 of Raft is one.
 * </ol>
 *
 * <p>With JUnit, in a module that has {@code io.clowder.simulator} and the other protocols in test
 * scope:
 *
 * <pre>
 *   class MyProtocolTest {
 *     &#64;TestFactory
 *     List&lt;DynamicTest&gt; keepsTheContract() {
 *       return new ProtocolKit(new MyProtocol()).checks().stream()
 *           .map(check -&gt; DynamicTest.dynamicTest(check.name(), check::run))
 *           .toList();
 *     }
 *
 *     &#64;Test
 *     void everySeedPasses() {
 *       SeedRunner runner =
 *           new SeedRunner(
 *               new TreeMap&lt;&gt;(Map.of("mine", new MyProtocol(), "raft", new RaftProtocol())),
 *               "mvn test -Dtest=MyProtocolTest -Dtrace=true -Dseeds=",
 *               System.out);
 *       assertEquals(0, runner.run(System.getProperty("seeds", "1-300"), Boolean.getBoolean("trace")));
 *       runner.requireSwaps();
 *     }
 *   }
 * </pre>
 *
 * <p>Without JUnit, {@code new ProtocolKit(new MyProtocol()).run()} throws what fails first. {@code
 * io.clowder.consensus.raft.RaftSimulationTest} and {@code PaxosSimulationTest} are the first two
 * users.
 *
 * <p>What the kit takes for granted besides the laws: a replica that leads shows the role {@code
 * leader}; without parameters any majority of the members serves; in a fair network a lone
 * candidate is elected, and a successor found, within one election time-out.
 */
@NullMarked
package io.clowder.simulator.kit;

import org.jspecify.annotations.NullMarked;
