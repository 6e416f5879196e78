using CredBroker.Core.Clocks;
using CredBroker.EntityFrameworkCore.Hosting;

namespace CredBroker.EntityFrameworkCore.Clocks;

/// <summary>Reads the clock that is the store's, where that is not this machine's: a reading is as uncertain as half of what it took.</summary>
internal sealed class ReferenceClock(Backend backend, StoreTime time, Func<DateTimeOffset>? told)
{
    public async Task MeasureAsync(CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        if ((told?.Invoke() ?? await backend.AskTimeAsync(cancellationToken)) is not { } reading) return;
        var answered = time.GetTimestamp();
        var half = time.GetElapsedTime(asked, answered) / 2;
        time.Read(reading + half, answered, half);
    }
}
