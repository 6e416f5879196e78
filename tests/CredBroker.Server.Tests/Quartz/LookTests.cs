using System.Collections.Concurrent;
using CredBroker.Core;
using CredBroker.Quartz;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Server.Tests.Quartz;

/// <summary>When the broker looks: by the clock that it is given, and at once when there is work.</summary>
internal sealed class LookTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly BlockingCollection<DateTimeOffset> _looks = [];
    private readonly Signals _signals = new();

    [OneTimeTearDown]
    public void Dispose() => _looks.Dispose();

    [TearDown]
    public void ForgetLooks()
    {
        while (_looks.TryTake(out _)) { }
    }

    [Test]
    public async Task Looks_at_once_then_when_the_last_look_said()
    {
        using var host = await StartAsync(TimeSpan.FromMinutes(1), now => now + TimeSpan.FromSeconds(7));
        var first = Next();
        Assert.That(_looks.TryTake(out _, TimeSpan.FromMilliseconds(300)), Is.False, "nothing is due");
        await AdvanceUntilLookAsync(TimeSpan.FromSeconds(1), first + TimeSpan.FromSeconds(7));
        await host.StopAsync();
    }

    [Test]
    public async Task Never_pauses_longer_than_the_bound()
    {
        using var host = await StartAsync(TimeSpan.FromMilliseconds(250), _ => DateTimeOffset.MaxValue);
        var first = Next();
        await AdvanceUntilLookAsync(TimeSpan.FromMilliseconds(50), first + TimeSpan.FromMilliseconds(250));
        await host.StopAsync();
    }

    [Test]
    public async Task A_signal_needs_no_clock()
    {
        using var host = await StartAsync(TimeSpan.FromHours(1), _ => DateTimeOffset.MaxValue);
        Next();
        for (var i = 0; i < 3; i++)
        {
            _signals.Set();
            Next();
        }

        await host.StopAsync();
    }

    [Test]
    public async Task Looks_again_after_a_look_that_failed()
    {
        var failed = false;
        using var host = await StartAsync(TimeSpan.FromHours(1), now =>
        {
            if (failed) return DateTimeOffset.MaxValue;
            failed = true;
            throw new InvalidOperationException("once");
        });
        var first = Next();
        await AdvanceUntilLookAsync(TimeSpan.FromMilliseconds(200), first + TimeSpan.FromSeconds(1));
        await host.StopAsync();
    }

    [Test]
    public async Task Stopping_cancels_the_look_and_waits_for_it()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = false;
        using var host = Build(new Work("slow", TimeSpan.FromHours(1), async cancellationToken =>
        {
            entered.SetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken);
            }
            finally
            {
                left = true;
            }

            return DateTimeOffset.MaxValue;
        }));
        await host.StartAsync();
        await entered.Task.WaitAsync(Patience);
        await host.StopAsync().WaitAsync(Patience);
        Assert.That(left, Is.True);
    }

    private async Task<IHost> StartAsync(TimeSpan longestPause, Func<DateTimeOffset, DateTimeOffset> look)
    {
        var host = Build(new Work("test", longestPause, _ =>
        {
            var now = _time.GetUtcNow();
            _looks.Add(now, CancellationToken.None);
            return Task.FromResult(look(now));
        })
        {
            Signalled = _signals.Wait,
            Take = _signals.Take,
        });
        await host.StartAsync();
        return host;
    }

    private IHost Build(Work work)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(_time).AddSingleton(work).AddLooks();
        return builder.Build();
    }

    private DateTimeOffset Next()
    {
        Assert.That(_looks.TryTake(out var at, Patience), Is.True, "there was no look");
        return at;
    }

    // The scheduler's own thread arms its timers at some moment after a look: the clock moves until it answers.
    private async Task AdvanceUntilLookAsync(TimeSpan step, DateTimeOffset notBefore)
    {
        for (var i = 0; i < 400; i++)
        {
            if (_looks.TryTake(out var at, TimeSpan.FromMilliseconds(50)))
            {
                Assert.That(at, Is.GreaterThanOrEqualTo(notBefore));
                return;
            }

            _time.Advance(step);
            await Task.Yield();
        }

        Assert.Fail("there was no look");
    }
}
