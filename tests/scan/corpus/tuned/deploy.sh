#!/bin/bash
# Deploys to 100.122.12.54; needs psql.
set -euo pipefail
DB_HOST="${DB_HOST:-100.122.12.54}"
DB_PORT="${DB_PORT:-5432}"
REDIS_URL="redis://:${REDIS_PASSWORD}@${REDIS_HOST:-100.96.197.84}:${REDIS_PORT:-6379}/0"
VERSION=4.3.2.1
echo "deploying to $DB_HOST"  # 100.122.12.54
psql -h 100.122.12.54 -p 5432 -U bev -c 'select 1'
pg_isready -h 100.122.12.54 || exit 1
psql "host=100.122.12.54 port=5432 dbname=bev user=bev password=x#y"
redis-cli -h 100.96.197.84 -p 6379 ping
nc -z 100.122.12.54 7687 && echo up
curl -fsS http://100.122.12.54:9200/_cluster/health
curl -fsS "https://100.122.12.35:8200/v1/sys/health" | jq .
export VAULT_ADDR=https://100.122.12.35:8200
kafka-topics.sh --bootstrap-server 100.122.12.54:9092,100.122.12.54:9093 --list
docker run -d -p 100.122.12.54:8080:80 --add-host vault:100.122.12.35 --dns 100.122.12.35 nginx:1.25
docker swarm init --advertise-addr 100.122.12.35
ip route add 172.31.0.0/16 via tailscale0
ssh root@100.122.12.54 'systemctl restart bev'
pip install torch==2.1.0.1
wget https://dl.example.com/tool/1.2.3.4/tool.tgz
if ping -c1 10.11.12.13; then echo ok; fi
amqp-publish --url=amqp://bev:pw@100.122.12.54:5674/%2f -r q -b x
cat > /etc/app.ini <<EOF
[redis]
host = 100.96.197.84
port = 6379
EOF
wget -q -O- http://100.96.197.84:9093/-/healthy
