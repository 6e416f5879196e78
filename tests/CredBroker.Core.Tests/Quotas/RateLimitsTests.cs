using CredBroker.Core.Quotas;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Core.Tests.Quotas;

public sealed class RateLimitsTests
{
    private readonly FakeTimeProvider _time = new();

    [Test]
    public void Gives_a_minutes_worth_at_once_and_then_says_how_long_to_wait()
    {
        var rates = new RateLimits(_time);
        for (var i = 0; i < 60; i++) Assert.That(rates.TryTake(new RateCharge("a", 60, "calls")), Is.Null);
        var refused = rates.TryTake(new RateCharge("a", 60, "calls"));
        Assert.That(refused!.Value.Wait, Is.EqualTo(TimeSpan.FromSeconds(1)).Within(TimeSpan.FromMilliseconds(1)));
        _time.Advance(TimeSpan.FromSeconds(1.01));
        Assert.That(rates.TryTake(new RateCharge("a", 60, "calls")), Is.Null);
    }

    [Test]
    public void Takes_nothing_from_the_others_when_one_bucket_is_empty()
    {
        var rates = new RateLimits(_time);
        Assert.That(rates.TryTake(new RateCharge("small", 1, "small")), Is.Null);
        for (var i = 0; i < 10; i++) Assert.That(rates.TryTake(new RateCharge("large", 2, "large"), new RateCharge("small", 1, "small"))!.Value.What, Is.EqualTo("small"));
        Assert.That(rates.TryTake(new RateCharge("large", 2, "large")), Is.Null);
    }
}
