// SPDX-License-Identifier: Apache-2.0
package io.clowder.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.clowder.api.NodeId;
import io.clowder.api.task.Retry;
import io.clowder.api.task.Schedule;
import io.clowder.api.task.SystemStatus;
import io.clowder.api.task.TaskMode;
import io.clowder.api.task.TaskState;
import io.clowder.api.task.TaskStatus;
import io.clowder.api.task.Trigger;
import io.clowder.api.task.TypeLimits;
import io.clowder.api.wire.WireFormatException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** The bytes of every command, answer and question: a log written today is read for ever. */
class TaskVocabularyTest {
  private static final HexFormat HEX = HexFormat.of();
  private static final NodeId N1 = new NodeId("n1");

  private static final Terms TERMS =
      new Terms(
          new Retry(5, Duration.ofSeconds(1), Duration.ofMinutes(5), 3),
          new TreeMap<>(Map.of("gpu", "yes")),
          TaskMode.AT_MOST_ONCE,
          300,
          30_000);
  private static final Work WORK =
      new Work("a/b", "xy".getBytes(UTF_8), (byte) 9, "d", "o", 300, 400, TERMS, "s");
  private static final Work BARE =
      new Work(
          "t",
          Task.NO_VALUE,
          (byte) 0,
          null,
          null,
          0,
          0,
          new Terms(Retry.NEVER, new TreeMap<>(), TaskMode.AT_LEAST_ONCE, 0, 1),
          null);
  private static final Task TASK =
      new Task(
          7,
          WORK,
          300,
          TaskState.RUNNING,
          301,
          302,
          Task.TURN,
          9,
          2,
          1,
          1,
          "r".getBytes(UTF_8),
          "no",
          List.of(
              new TaskStatus.Past(
                  1, N1, 8, Instant.ofEpochMilli(5), Instant.ofEpochMilli(6), "no")));

  private static Plan plan(Trigger trigger) {
    return new Plan(
        "s",
        trigger,
        BARE,
        Schedule.Misfire.CATCH_UP,
        3,
        Schedule.Overlap.ALLOW,
        Duration.ofMillis(300),
        true,
        Plan.NEVER,
        301,
        302,
        303,
        304,
        305,
        306);
  }

  private static Map<TaskCommand, String> commands() {
    Map<TaskCommand, String> golden = new LinkedHashMap<>();
    golden.put(
        new TaskCommand.Submit(List.of(WORK, BARE), 300),
        "0101ac020203612f620278790901016401016fac02900305e807e0a7120301036770750379657301ac02b0ea010101730174000000000000010000030000000100");
    golden.put(
        new TaskCommand.Announce(
            -1,
            300,
            N1,
            300,
            new TreeMap<>(Map.of("a/*", new Skill(2, 300))),
            new TreeMap<>(Map.of("gpu", "yes"))),
        "0201ffffffffffffffffac02026e31ac020103612f2a02ac02010367707503796573");
    golden.put(
        new TaskCommand.Reports(
            300,
            List.of(
                new Report.Done(301, "r".getBytes(UTF_8)),
                new Report.Threw(302, "no", true),
                new Report.GivenBack(303, true),
                new Report.Progress(304, 500, "half"))),
        "0301ac020401ad02017202ae02026e6f0103af020104b002f4030468616c66");
    golden.put(new TaskCommand.Leave(300), "0401ac02");
    golden.put(new TaskCommand.Evict(300), "0501ac02");
    golden.put(new TaskCommand.Tick(), "0601");
    golden.put(new TaskCommand.Cancel(300), "0701ac02");
    golden.put(new TaskCommand.Retry(300), "0801ac02");
    golden.put(new TaskCommand.Forget(300), "0901ac02");
    golden.put(new TaskCommand.Drain(N1, true), "0a01026e3101");
    golden.put(new TaskCommand.Pause("t", true), "0b01017401");
    golden.put(new TaskCommand.Limit("t", new TypeLimits(1, 300, 3)), "0c01017401ac0203");
    golden.put(
        new TaskCommand.Arrange(plan(new Trigger.Cron("0 3 * * *", ZoneId.of("Europe/Berlin")))),
        "0d0101730109302033202a202a202a0d4575726f70652f4265726c696e0174000000000000010000030000000100020302ac0201ffffffffffffffff7fad02ae02af02b002b102b202");
    golden.put(
        new TaskCommand.Arrange(
            plan(new Trigger.FixedRate(Instant.ofEpochMilli(300), Duration.ofMillis(301)))),
        "0d01017302ac02ad020174000000000000010000030000000100020302ac0201ffffffffffffffff7fad02ae02af02b002b102b202");
    golden.put(
        new TaskCommand.Arrange(
            plan(new Trigger.FixedDelay(Instant.ofEpochMilli(300), Duration.ofMillis(301)))),
        "0d01017303ac02ad020174000000000000010000030000000100020302ac0201ffffffffffffffff7fad02ae02af02b002b102b202");
    golden.put(
        new TaskCommand.Arrange(plan(new Trigger.At(Instant.ofEpochMilli(300)))),
        "0d01017304ac020174000000000000010000030000000100020302ac0201ffffffffffffffff7fad02ae02af02b002b102b202");
    golden.put(new TaskCommand.Disband("s"), "0e010173");
    golden.put(new TaskCommand.PausePlan("s", true, 300, 301), "0f01017301ac02ad02");
    golden.put(
        new TaskCommand.Fire(
            List.of(new Firing("s", 300, List.of(301L, 302L), 5, Plan.NEVER, 303)), 300),
        "1001ac02010173ac0202ad02ae0205ffffffffffffffff7faf02");
    golden.put(new TaskCommand.FireNow("s", 300), "11010173ac02");
    return golden;
  }

  private static Map<TaskAnswer, String> answers() {
    Map<TaskAnswer, String> golden = new LinkedHashMap<>();
    golden.put(
        new TaskAnswer.Taken(
            List.of(new TaskAnswer.Ticket(300, null), new TaskAnswer.Ticket(0, "no"))),
        "0102ac02000001026e6f");
    golden.put(new TaskAnswer.Is(true), "0201");
    golden.put(new TaskAnswer.Id(300), "03ac02");
    golden.put(new TaskAnswer.Refused("no"), "04026e6f");
    golden.put(new TaskAnswer.Outcome(null, Task.NO_VALUE, null, 0), "0500");
    golden.put(
        new TaskAnswer.Outcome(TaskState.DEAD, Task.NO_VALUE, "no", 2), "0501080001026e6f02");
    golden.put(
        new TaskAnswer.Outcome(TaskState.SUCCEEDED, "r".getBytes(UTF_8), null, 300),
        "050104017200ac02");
    golden.put(
        new TaskAnswer.Shown(
            List.of(
                new TaskAnswer.ShownTask(TASK, N1, 500, "half", "why"),
                new TaskAnswer.ShownTask(Task.submitted(1, BARE, 300), null, 0, "", "")),
            300),
        "06ac02020703612f620278790901016401016fac02900305e807e0a7120301036770750379657301ac02b0ea01010173ac0203ad02ae020009020101017201026e6f0101026e31080506026e6f01026e31f4030468616c6603776879010174000000000000010000030000000100ac0200ac0200010000000000000000000000");
    golden.put(
        new TaskAnswer.Schedules(List.of(plan(new Trigger.At(Instant.ofEpochMilli(300))))),
        "0701017304ac020174000000000000010000030000000100020302ac0201ffffffffffffffff7fad02ae02af02b002b102b202");
    golden.put(new TaskAnswer.Limited(new TypeLimits(1, 300, 3)), "0901ac0203");
    golden.put(
        new TaskAnswer.Whole(
            new SystemStatus(
                List.of(
                    new SystemStatus.Queue("t", 9, 1, 300, 3, Duration.ofMillis(301), true, "why")),
                List.of(
                    new SystemStatus.Worker(
                        N1,
                        4,
                        3,
                        true,
                        new TreeMap<>(Map.of("t", 2)),
                        new TreeMap<>(Map.of("gpu", "yes")),
                        300,
                        301)),
                1,
                2,
                3,
                4,
                300,
                301,
                302)),
        "080101740901ac0203ad02010377687901026e3104030101017402010367707503796573ac02ad0201020304ac02ad02ae02");
    return golden;
  }

  private static Map<TaskQuestion, String> questions() {
    Map<TaskQuestion, String> golden = new LinkedHashMap<>();
    golden.put(new TaskQuestion.Outcome(300), "01ac02");
    golden.put(new TaskQuestion.Show(300), "02ac02");
    golden.put(new TaskQuestion.Page(null, null, 0, 1000), "03000000e807");
    golden.put(new TaskQuestion.Page(TaskState.READY, "a/**", 300, 1), "0301010104612f2a2aac0201");
    golden.put(new TaskQuestion.Schedules("s", 300), "040173ac02");
    golden.put(new TaskQuestion.OneSchedule("s"), "050173");
    golden.put(new TaskQuestion.Due(300, 500), "06ac02f403");
    golden.put(new TaskQuestion.LimitsOf("t"), "070174");
    golden.put(new TaskQuestion.Whole(), "08");
    return golden;
  }

  /** What a record says of itself, where arrays are but arrays. */
  private static String text(Object record) {
    return record.toString().replaceAll("\\[B@[0-9a-f]+", "bytes");
  }

  private static <T> void check(
      Map<T, String> golden,
      Class<T> vocabulary,
      Function<T, byte[]> encode,
      Function<byte[], T> decode) {
    Set<Class<?>> kinds = new HashSet<>(Arrays.asList(vocabulary.getPermittedSubclasses()));
    golden.forEach(
        (word, hex) -> {
          assertEquals(hex, HEX.formatHex(encode.apply(word)), word.toString());
          T read = decode.apply(HEX.parseHex(hex));
          assertEquals(text(word), text(read));
          assertEquals(hex, HEX.formatHex(encode.apply(read)));
          kinds.remove(word.getClass());
        });
    assertEquals(Set.of(), kinds, "kinds without golden bytes");
  }

  @Test
  void everyCommand() {
    check(commands(), TaskCommand.class, TaskCommand::encode, TaskCommand::decode);
  }

  @Test
  void everyAnswer() {
    check(answers(), TaskAnswer.class, TaskAnswer::encode, TaskAnswer::decode);
  }

  @Test
  void everyQuestion() {
    check(questions(), TaskQuestion.class, TaskQuestion::encode, TaskQuestion::decode);
  }

  /** A number in bytes never changes; a new state comes last. */
  @Test
  void everyStateHasANumber() {
    assertEquals(List.of(TaskState.values()), Fields.STATES);
  }

  @Test
  void otherKindsAndVersionsAreRefused() {
    for (int kind : List.of(0, 18, 255)) {
      byte[] bytes = {(byte) kind, TaskCommand.VERSION};
      assertThrows(WireFormatException.class, () -> TaskCommand.decode(bytes), "kind " + kind);
    }
    for (int version : List.of(0, 2, 255)) {
      byte[] bytes = {6, (byte) version};
      assertThrows(WireFormatException.class, () -> TaskCommand.decode(bytes), "" + version);
    }
    for (int kind : List.of(0, 10, 255)) {
      byte[] bytes = {(byte) kind};
      assertThrows(WireFormatException.class, () -> TaskAnswer.decode(bytes), "kind " + kind);
    }
    for (int kind : List.of(0, 9, 255)) {
      byte[] bytes = {(byte) kind};
      assertThrows(WireFormatException.class, () -> TaskQuestion.decode(bytes), "kind " + kind);
    }
  }

  @Test
  void whatIsCutShortOrGoesOnIsRefused() {
    commands().keySet().forEach(it -> refuseCut(it.encode(), TaskCommand::decode));
    answers().keySet().forEach(it -> refuseCut(it.encode(), TaskAnswer::decode));
    questions().keySet().forEach(it -> refuseCut(it.encode(), TaskQuestion::decode));
  }

  private static void refuseCut(byte[] bytes, Function<byte[], ?> decode) {
    for (int length = 0; length <= bytes.length + 1; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      if (length != bytes.length) {
        assertThrows(
            WireFormatException.class, () -> decode.apply(cut), length + " of " + bytes.length);
      }
    }
  }

  @Test
  void whatIsOutOfRangeIsRefused() {
    Map<String, TaskCommand> wrong = new LinkedHashMap<>();
    wrong.put(
        "a priority",
        submit(new Work("t", Task.NO_VALUE, (byte) 10, null, null, 0, 0, TERMS, null)));
    wrong.put(
        "a payload",
        submit(new Work("t", new byte[65_537], (byte) 1, null, null, 0, 0, TERMS, null)));
    wrong.put("a queue", new TaskCommand.Submit(List.of(), 1_000_001));
    wrong.put(
        "a pattern",
        new TaskCommand.Announce(
            1, 1, N1, 1, new TreeMap<>(Map.of("a*", new Skill(0, 0))), new TreeMap<>()));
    wrong.put("a progress", new TaskCommand.Reports(1, List.of(new Report.Progress(1, 1001, ""))));
    wrong.forEach(
        (what, command) ->
            assertThrows(
                WireFormatException.class, () -> TaskCommand.decode(command.encode()), what));
  }

  private static TaskCommand submit(Work work) {
    return new TaskCommand.Submit(List.of(work), 1);
  }

  /** Whatever the bytes are, they are read or refused, and nothing else. */
  @Test
  void bytesThatAreAnythingDoNoHarm() {
    Random random = new Random(1);
    int read = 0;
    for (int i = 0; i < 40_000; i++) {
      read += fuzz(random, commands.get(random.nextInt(commands.size())), TaskCommand::decode);
      read += fuzz(random, answers.get(random.nextInt(answers.size())), TaskAnswer::decode);
      read += fuzz(random, questions.get(random.nextInt(questions.size())), TaskQuestion::decode);
    }
    assertTrue(read > 500, "some of it makes sense: " + read);
  }

  private final List<byte[]> commands =
      commands().keySet().stream().map(TaskCommand::encode).toList();
  private final List<byte[]> answers = answers().keySet().stream().map(TaskAnswer::encode).toList();
  private final List<byte[]> questions =
      questions().keySet().stream().map(TaskQuestion::encode).toList();

  private static int fuzz(Random random, byte[] sound, Function<byte[], ?> decode) {
    byte[] bytes = Arrays.copyOf(sound, Math.max(1, sound.length - random.nextInt(3) + 1));
    for (int i = random.nextInt(4); i >= 0; i--) {
      bytes[random.nextInt(bytes.length)] =
          (byte) (random.nextBoolean() ? random.nextInt(256) : random.nextInt(12));
    }
    try {
      var unused = decode.apply(bytes);
      return 1;
    } catch (WireFormatException e) {
      return 0;
    }
  }
}
