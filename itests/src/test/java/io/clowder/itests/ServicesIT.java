// SPDX-License-Identifier: Apache-2.0
package io.clowder.itests;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.options;
import static org.ops4j.pax.exam.CoreOptions.systemProperty;

import io.clowder.api.CoordinationException;
import io.clowder.api.Node;
import io.clowder.api.consensus.ConsensusService;
import io.clowder.api.consensus.ReadConsistency;
import io.clowder.api.kv.KvEntry;
import io.clowder.api.kv.KvStore;
import io.clowder.api.lock.Grant;
import io.clowder.api.lock.LockService;
import io.clowder.api.storage.Storage;
import io.clowder.api.task.TaskAdmin;
import io.clowder.api.task.TaskId;
import io.clowder.api.task.TaskRequest;
import io.clowder.api.task.TaskResult;
import io.clowder.api.task.TaskScheduler;
import io.clowder.api.task.TaskState;
import io.clowder.api.transport.Transport;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.util.tracker.ServiceTracker;

/** A cluster of one node: its services come up by configuration, and the shell's commands work. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ServicesIT {
  private static final long WAIT_MILLIS = 30_000;
  private static final String PORT = "clowder.itests.port";
  private static final String DIRECTORY = "clowder.itests.directory";

  @Inject private BundleContext context;
  @Inject private ConfigurationAdmin configurations;
  @Inject private CommandProcessor shell;

  /** A service may be thrown away when its last user lets go: so not before the test's end. */
  private final List<ServiceTracker<?, ?>> used = new ArrayList<>();

  @Configuration
  public Option[] container() throws IOException {
    // Made by the node, once; this method is called more often.
    Path directory = Path.of(System.getProperty("java.io.tmpdir"), "services-" + UUID.randomUUID());
    Option[] bundles =
        Stream.of(BundleFiles.PLATFORM, BundleFiles.OWN, List.of("io.clowder.benchmarks"))
            .flatMap(List::stream)
            .map(name -> bundle(BundleFiles.of(name).toUri().toString()))
            .toArray(Option[]::new);
    return options(
        composite(bundles),
        junitBundles(),
        frameworkProperty("felix.cm.pm").value("memory"),
        systemProperty("org.ops4j.pax.logging.DefaultServiceLog.level").value("WARN"),
        systemProperty(PORT).value(Integer.toString(Ports.free())),
        systemProperty(DIRECTORY).value(directory.toString()));
  }

  @Before
  public void configure() throws IOException {
    configurations
        .getConfiguration("io.clowder.node", "?")
        .updateIfDifferent(
            FrameworkUtil.asDictionary(
                Map.of(
                    "id",
                    "n1",
                    "cluster",
                    "services",
                    "members",
                    "n1=127.0.0.1:" + System.getProperty(PORT),
                    "directory",
                    System.getProperty(DIRECTORY))));
    configurations
        .getFactoryConfiguration("io.clowder.consensus.group", "main", "?")
        .updateIfDifferent(FrameworkUtil.asDictionary(Map.of()));
  }

  @After
  public void letGo() {
    used.forEach(ServiceTracker::close);
  }

  @Test
  public void everyBundleIsActive() {
    List<String> notActive =
        Arrays.stream(context.getBundles())
            .filter(it -> it.getState() != Bundle.ACTIVE)
            .filter(it -> it.getHeaders().get("Fragment-Host") == null)
            .map(Bundle::getSymbolicName)
            .toList();
    assertEquals(List.of(), notActive);
  }

  @Test
  public void theNodeIsWhoItIsConfiguredToBe() throws Exception {
    Node node = service(Node.class);
    assertEquals("n1", node.id().value());
    assertEquals("services", node.cluster());
    assertEquals(1, node.members().size());
    assertNotNull(service(Storage.class));
    assertEquals(List.of(), service(Transport.class).links());
  }

  @Test
  public void everyMachineIsAnswered() throws Exception {
    for (String machine : List.of("kv", "lock", "fd", "dht", "task")) {
      ConsensusService service =
          service(
              ConsensusService.class,
              "(&(consensus.group=main)(machine=" + machine + ")(consensus.protocol=raft))");
      assertEquals("main", service.status().group());
      assertEquals("raft", service.status().protocol());
    }
  }

  @Test
  public void theMapMaps() throws Exception {
    KvStore store = service(KvStore.class);
    byte[] value = {0, 1, (byte) 0xFF};
    long version = await(store.put("map", value));
    KvEntry entry = await(store.get("map", ReadConsistency.LINEARIZABLE));
    assertNotNull(entry);
    assertArrayEquals(value, entry.value());
    assertEquals(version, entry.version());
    long next = await(store.compareAndSet("map", version, new byte[0]));
    assertTrue(next + " after " + version, next > version);
    CoordinationException conflict =
        failure(() -> store.compareAndSet("map", version, new byte[] {9}));
    assertEquals(CoordinationException.Reason.CONFLICT, conflict.reason());
    assertEquals(CoordinationException.Outcome.DID_NOT_HAPPEN, conflict.outcome());
    assertTrue(await(store.delete("map")));
    assertNull(await(store.get("map", ReadConsistency.LINEARIZABLE)));
  }

  @Test
  public void theLockLocks() throws Exception {
    LockService locks = service(LockService.class);
    Grant first = await(locks.acquire("door", Duration.ofSeconds(20)));
    assertTrue(first.isHeld());
    assertNull(await(locks.tryAcquire("door")));
    CoordinationException wrong = failure(() -> locks.release("door", first.token() + 1));
    assertEquals(CoordinationException.Reason.CONFLICT, wrong.reason());
    await(first.release());
    assertFalse(first.isHeld());
    await(first.lost());
    Grant second = await(locks.acquire("door", Duration.ofSeconds(20)));
    assertTrue(second.token() > first.token());
    await(second.release());
    assertNull(await(locks.info("door")));
  }

  @Test
  public void commandsOnTheMapWork() throws Exception {
    service(KvStore.class);
    assertTrue(run("kv:put fruit apple").startsWith("fruit = apple (version "));
    assertEquals("apple", run("kv:get fruit"));
    String json = run("kv:get fruit -o json");
    assertTrue(json, json.startsWith("[") && json.contains("\"value\": \"apple\""));
    String version = json.replaceFirst("(?s).*\"version\": (\\d+).*", "$1");
    assertTrue(run("kv:cas fruit " + version + " pear").startsWith("fruit = pear (version "));
    assertEquals("pear", run("kv:get fruit --local"));
    assertTrue(run("kv:list fru").contains("pear"));
    assertTrue(run("kv:list fru -o json").contains("\"key\": \"fruit\""));
    assertTrue(run("kv:put fruit fig -o json").contains("\"value\": \"fig\""));
    assertEquals("fruit deleted", run("kv:delete fruit"));
    assertEquals("fruit was not there", run("kv:delete fruit"));
    assertTrue(run("kv:delete fruit -o json").contains("\"deleted\": false"));
  }

  @Test
  public void commandsOnLocksWork() throws Exception {
    service(LockService.class);
    String acquired = run("lock:acquire gate");
    assertTrue(acquired, acquired.matches("gate token \\d+"));
    String token = acquired.replaceFirst("gate token ", "");
    assertTrue(run("lock:list").contains("gate"));
    assertTrue(run("lock:list -o json").contains("\"token\": " + token));
    assertTrue(run("lock:info gate").contains("n1"));
    assertTrue(run("lock:info gate -o json").contains("\"node\": \"n1\""));
    refused("lock:acquire gate --try", "taken");
    refused("lock:release gate " + (Long.parseLong(token) + 1), "gate");
    assertEquals("gate released", run("lock:release gate " + token));
    assertEquals("gate is free", run("lock:info gate"));
    String json = run("lock:acquire gate --wait 1s -o json");
    assertTrue(json, json.contains("\"name\": \"gate\""));
    String second = json.replaceFirst("(?s).*\"token\": (\\d+).*", "$1");
    assertTrue(run("lock:release gate " + second + " -o json").contains("\"released\": true"));
  }

  @Test
  public void theSchedulerRunsTasks() throws Exception {
    TaskScheduler tasks =
        service(TaskScheduler.class, "(&(consensus.group=main)(consensus.protocol=raft))");
    assertNotNull(service(TaskAdmin.class, "(consensus.group=main)"));
    byte[] payload = {1, 0, (byte) 0xFF};
    TaskId id = await(tasks.submit(TaskRequest.of("try/echo", payload).withDedupeKey("once")));
    TaskResult result = await(tasks.result(id, Duration.ofSeconds(20)));
    assertEquals(TaskState.SUCCEEDED, result.state());
    assertArrayEquals(payload, result.value());
    assertEquals(
        id, await(tasks.submit(TaskRequest.of("try/echo", payload).withDedupeKey("once"))));
    // Who does not want to wait is told of what is over all the same.
    for (int i = 0; i < 20; i++) {
      assertEquals(TaskState.SUCCEEDED, await(tasks.result(id, Duration.ZERO)).state());
    }
    assertFalse(await(tasks.cancel(id)));
    CoordinationException unknown = failure(() -> tasks.status(new TaskId(1_000_000)));
    assertEquals(CoordinationException.Reason.INVALID, unknown.reason());
  }

  @Test
  public void commandsOnTasksWork() throws Exception {
    service(TaskScheduler.class);
    assertEquals("hello", run("task:submit try/echo hello --wait 20s --priority 7"));
    String id = run("task:submit try/echo again -o json").replaceAll("\\D", "");
    assertEquals("again", run("task:result " + id + " --wait 20s"));
    String json = run("task:result " + id + " -o json");
    assertTrue(
        json, json.contains("\"state\": \"SUCCEEDED\"") && json.contains("\"value\": \"again\""));
    assertTrue(
        run("task:list --state SUCCEEDED --type try/echo -o json").contains("\"id\": " + id));
    assertTrue(run("task:info " + id + " -o json").contains("\"what\": \"attempts\""));
    refused("task:cancel " + id, "was over");
    refused("task:retry " + id, "has not failed");
    assertTrue(run("task:forget " + id + " -o json").contains("\"done\": true"));
    refused("task:info " + id, "is not known");

    String dead = run("task:submit try/fail no --attempts 2");
    Deadline soon = Deadline.in(Duration.ofMillis(WAIT_MILLIS));
    assertTrue(run("task:info " + dead), soon.until(() -> run("task:dead").contains(" DEAD ")));
    assertTrue(run("task:dead -o json").contains("\"id\": " + dead));
    refused("task:result " + dead, "IllegalStateException: no");
    assertEquals("1 are forgotten", run("task:dead --forget"));
    assertEquals("no dead tasks", run("task:dead"));

    assertTrue(run("task:nodes").contains("n1"));
    assertTrue(run("task:nodes -o json").contains("\"slots\": 32"));
    assertTrue(run("task:handlers -o json").contains("\"type\": \"try/*\""));
    assertEquals("n1 gets no more tasks", run("task:drain n1"));
    String waits = run("task:submit try/echo later");
    assertTrue(run("task:info " + waits).contains("all nodes that could run it are drained"));
    assertTrue(run("task:status").contains("all nodes that could run it are drained"));
    assertTrue(run("task:status -o json").contains("\"ready\": 1"));
    assertTrue(run("task:top -n 1").contains("try/echo"));
    assertTrue(run("task:top -n 1 -o json").contains("\"type\": \"try/echo\""));
    refused("task:result " + waits, "was not over within PT0S");
    assertEquals("task " + waits + " is called off", run("task:cancel " + waits));
    assertTrue(run("task:drain n1 --end -o json").contains("\"done\": \"n1 gets tasks again\""));
    assertEquals("type other is paused", run("task:pause other"));
    assertEquals("type other goes on", run("task:pause other --end"));
    assertTrue(run("task:limit other --rate 5 -o json").contains("\"rate\": 5"));
    assertTrue(run("task:limit other --rate 0 -o json").contains("\"rate\": 0"));

    String made = run("task:schedule nightly try/echo --cron '0 3 * * *' --zone Europe/Berlin");
    assertEquals("schedule nightly is made", made);
    assertEquals(
        "schedule nightly is changed",
        run("task:schedule nightly try/echo night --cron '0 3 * * *' --zone Europe/Berlin"));
    assertTrue(run("task:schedules -o json").contains("\"when\": \"0 3 * * * Europe/Berlin\""));
    assertEquals(4, run("task:schedules --next nightly -n 3").lines().count());
    assertEquals("schedule nightly is paused", run("task:schedules --pause nightly"));
    assertTrue(run("task:schedules").contains("yes"));
    assertEquals("schedule nightly goes on", run("task:schedules --resume nightly"));
    String extra = run("task:schedules --run nightly");
    assertEquals("night", run("task:result " + extra + " --wait 20s"));
    assertEquals("schedule nightly has ended", run("task:schedules --remove nightly"));
    assertEquals("no schedules", run("task:schedules"));
  }

  @Test
  public void wrongOrdersToTasksChangeNothing() throws Exception {
    service(TaskScheduler.class);
    final String before = summary();
    refused("task:submit", "TYPE");
    refused("task:submit 'two words'", "type 'two words'");
    refused("task:submit a//b", "type 'a//b'");
    refused("task:submit 'try/*' x", "type 'try/*'");
    refused("task:submit try/echo " + "x".repeat(65_537), "65537 bytes");
    refused("task:submit try/echo x --priority 11", "priority 11: use 0 to 9");
    refused("task:submit try/echo x --priority high", "high");
    refused("task:submit try/echo x --attempts 0", "0 attempts");
    refused("task:submit try/echo x --label zone", "zone");
    refused("task:submit try/echo x --label zone=", "label");
    refused("task:submit try/echo x --delay soon", "soon");
    refused("task:submit try/echo x --delay 2h --deadline 1h", "deadline");
    refused("task:submit try/echo x --wait 10m", "--wait is over 9m");
    refused("task:submit try/echo x --dedupe ''", "dedupe key");
    for (String command : List.of("info", "result", "cancel", "retry", "forget")) {
      refused("task:" + command, "ID");
      refused("task:" + command + " first", "first");
      refused("task:" + command + " 0", "the first one is 1");
      refused("task:" + command + " 999999", "not known");
    }
    refused("task:result 1 --wait 10m", "--wait is over 9m");
    refused("task:list --state LOST", "LOST");
    refused("task:list --limit 0", "use 1 to 1000");
    refused("task:list --limit 1001", "use 1 to 1000");
    refused("task:list --type 'a/*/b'", "a/*/b");
    refused("task:list --after -1", "the first one is 1");
    refused("task:dead --retry --forget", "do not go together");
    refused("task:status now", "now");
    refused("task:nodes -o xml", "xml");
    refused("task:drain", "NODE");
    refused("task:drain 'no node'", "no node");
    refused("task:pause 'two words'", "type 'two words'");
    refused("task:limit 'two words' --rate 1", "type 'two words'");
    refused("task:limit a --rate -1", "rate per second of -1");
    refused("task:limit a --concurrency 1000001", "concurrency of 1000001");
    refused("task:limit a --queue much", "much");
    refused("task:schedule a try/echo", "--cron");
    refused("task:schedule a try/echo --cron '0 3 * *'", "0 3 * *");
    refused("task:schedule a try/echo --cron '61 3 * * *'", "61");
    refused("task:schedule a try/echo --cron '0 3 * * *' --zone Mars/Base", "Mars/Base");
    refused("task:schedule a try/echo --cron '0 3 * * *' --every 1s", "mutually exclusive");
    refused("task:schedule a try/echo --every 1ms", "use PT0.1S to");
    refused("task:schedule a try/echo --at tomorrow", "tomorrow");
    refused("task:schedule a try/echo --every 1s --misfire MAYBE", "MAYBE");
    refused("task:schedule a try/echo --every 1s --catch-up 0", "catch-up of 0");
    refused("task:schedule a try/echo --every 1s --jitter 48h", "jitter");
    refused("task:schedule 'a b' try/echo --every 1s", "a b");
    refused("task:schedule a 'b c' --every 1s", "type 'b c'");
    refused("task:schedule a try/echo --every 1s --priority 10", "priority 10");
    for (String what : List.of("next", "pause", "resume", "run", "remove")) {
      refused("task:schedules --" + what + " nobody", "there is no schedule nobody");
    }
    refused("task:schedules --pause a --resume a", "mutually exclusive");
    refused("task:top --every never", "never");
    assertEquals(before, summary());
    assertEquals("no schedules", run("task:schedules"));
  }

  private String summary() throws Exception {
    return run("task:status") + run("task:nodes") + run("task:limit a -o json");
  }

  @Test
  public void commandsOnTheNodeWork() throws Exception {
    run("kv:put any thing");
    String status = run("clowder:status");
    assertTrue(status, status.contains("leader") && status.contains("raft"));
    String json = run("clowder:status -o json");
    assertTrue(json, json.contains("\"group\": \"main\"") && json.contains("\"role\": \"leader\""));
    String members = run("clowder:members");
    assertTrue(members, members.contains("n1    127.0.0.1:") && members.contains("leader  self"));
    // On a busy machine, it says for a moment that it was.
    Deadline soon = Deadline.in(Duration.ofMillis(WAIT_MILLIS));
    assertTrue(
        run("clowder:why"),
        soon.until(() -> run("clowder:why").equals("nothing holds progress up")));
    assertTrue(soon.until(() -> run("clowder:why -o json").strip().equals("[]")));
  }

  @Test
  public void servicesSayTheirGroupAndProtocol() throws Exception {
    assertNotNull(service(KvStore.class, "(&(consensus.group=main)(consensus.protocol=raft))"));
    assertNotNull(service(LockService.class, "(&(consensus.group=main)(consensus.protocol=raft))"));
  }

  @Test
  public void everyCommandExplainsItself() throws Exception {
    service(KvStore.class);
    service(LockService.class);
    for (String command :
        List.of(
            "clowder:status",
            "clowder:why",
            "clowder:swap",
            "clowder:members",
            "clowder:add",
            "clowder:remove",
            "clowder:bench",
            "kv:put",
            "kv:get",
            "kv:delete",
            "kv:cas",
            "kv:list",
            "lock:acquire",
            "lock:release",
            "lock:list",
            "lock:info",
            "lock:revoke",
            "lock:promote",
            "lock:sessions",
            "lock:history",
            "lock:elections",
            "lock:resign",
            "store:put",
            "store:get",
            "store:delete",
            "store:cas",
            "store:scan",
            "store:status",
            "store:lag",
            "store:log",
            "store:switchover",
            "store:fail",
            "store:add",
            "store:remove",
            "store:verify",
            "store:force-promote",
            "dht:put",
            "dht:get",
            "dht:remove",
            "dht:owner",
            "dht:lookup",
            "dht:status",
            "dht:ring",
            "dht:ranges",
            "dht:balance",
            "dht:check",
            "dht:leave",
            "dht:join",
            "dht:safe",
            "dht:repair",
            "task:submit",
            "task:list",
            "task:info",
            "task:result",
            "task:cancel",
            "task:retry",
            "task:forget",
            "task:dead",
            "task:status",
            "task:nodes",
            "task:handlers",
            "task:drain",
            "task:pause",
            "task:limit",
            "task:schedule",
            "task:schedules",
            "task:top")) {
      String help = run(command + " --help");
      assertTrue(help, help.startsWith("Usage: " + command));
      assertTrue(help, help.contains("--help") && help.contains("table|json"));
    }
  }

  @Test
  public void wrongWordsGetOneClearLine() throws Exception {
    service(KvStore.class);
    service(LockService.class);
    refused("kv:put alone", "VALUE");
    refused("kv:get nobody", "nobody");
    refused("kv:get --consistency strong x", "strong");
    refused("kv:cas a one b", "one");
    refused("kv:list --limit 0", "1");
    refused("kv:list --nonsense", "--nonsense");
    refused("kv:put " + "k".repeat(70_000) + " v", "key");
    refused("lock:acquire x --wait soon", "soon");
    refused("lock:release x notanumber", "notanumber");
    refused("lock:release neverheld 1", "neverheld");
    refused("clowder:status -o xml", "xml");
    refused("clowder:why too many", "too");
    refused("clowder:swap nonsense", "no provider of protocol 'nonsense'");
    refused("clowder:swap --timeout 0", "use 1 to 3600");
    refused("clowder:members --group side", "no group 'side'");
    refused("clowder:remove n1", "the last member cannot be removed");
    refused("kv:get a --group side", "no map of a group 'side'");
    refused("lock:list --group side", "no locks of a group 'side'");
    refused("store:put a 1 --store none", "io.clowder.replication~none");
    refused("store:get a --consistency strong", "bounded:MILLIS");
    refused("store:force-promote", "NODE");
    refused("dht:put a 1 --ring none", "io.clowder.dht~none");
    refused("dht:get --any", "KEY");
    refused("dht:put a 1 --ttl soon", "500ms");
  }

  private void refused(String line, String part) {
    Exception failure = assertThrows(line, Exception.class, () -> run(line));
    String message = String.valueOf(failure.getMessage());
    String shown = line.length() > 80 ? line.substring(0, 80) + "…" : line;
    assertTrue(shown + ": " + message, message.contains(part));
    assertEquals(shown + ": " + message, 1, message.lines().count());
  }

  /** Runs a line in a session of its own; what it gave or printed. */
  private String run(String line) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CommandSession session =
        shell.createSession(new ByteArrayInputStream(new byte[0]), out, out)) {
      Object value = session.execute(line);
      return value == null ? out.toString(StandardCharsets.UTF_8) : value.toString();
    }
  }

  private <T> T service(Class<T> type) throws Exception {
    return service(type, "(objectClass=" + type.getName() + ")");
  }

  private <T> T service(Class<T> type, String filter) throws Exception {
    ServiceTracker<T, T> tracker =
        new ServiceTracker<>(
            context,
            context.createFilter("(&(objectClass=" + type.getName() + ")" + filter + ")"),
            null);
    tracker.open();
    used.add(tracker);
    T service = tracker.waitForService(WAIT_MILLIS);
    assertNotNull("no " + type.getName() + " with " + filter, service);
    return service;
  }

  private static CoordinationException failure(StageSource source) {
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> await(source.stage()));
    return (CoordinationException) failure.getCause();
  }

  private static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(WAIT_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** A request. */
  private interface StageSource {
    CompletionStage<?> stage();
  }
}
