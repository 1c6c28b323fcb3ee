"""What bench_test.go compares with, in Django's ORM.

Run by that benchmark: python3 django_bench.py DATABASE CASE. Prints the seconds
that the case took, start-up apart.
"""
import sys
import time
from datetime import date

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    INSTALLED_APPS=[], USE_TZ=True, TIME_ZONE="UTC", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, models, transaction  # noqa: E402
from django.db.models import Count, Sum  # noqa: E402


class User(models.Model):
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=150)
    is_active = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        app_label = "accounts"
        db_table = "accounts_user"


def loop(qs):
    changed = 0
    for user in qs.iterator(chunk_size=2000):
        normalized = user.email.lower().strip()
        if user.email == normalized:
            continue
        changed += 1
    return changed


def read():
    loop(User.objects.exclude(email__exact=""))


def only():
    loop(User.objects.exclude(email__exact="").only("id", "email"))


def save():
    with transaction.atomic():
        for user in User.objects.exclude(email__exact="").iterator(chunk_size=1000):
            normalized = user.email.lower().strip()
            if user.email == normalized:
                continue
            user.email = normalized
            user.save(update_fields=["email"])


def bulk_update():
    with transaction.atomic():
        rows = [(u.email.lower().strip(), u.pk) for u in User.objects.filter(id__lte=200000)]
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE accounts_user SET email = %s WHERE id = %s", rows)


def date_stats():
    for day in range(1, 6):
        User.objects.filter(created_at__date=date(2026, 1, day)).aggregate(n=Count("id"), s=Sum("id"))


connection.ensure_connection()
start = time.perf_counter()
globals()[sys.argv[2]]()
print(time.perf_counter() - start)
